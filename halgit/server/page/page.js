// The page of accounts: signs in, lists, and changes accounts through the API of the same server. The token is kept for
// the tab only and is sent as a header, so that no other site can send it.

import { PERMISSIONS, accountRow, agentRow, diffLines, element, permissionInputs } from "/views.js";

const $ = (id) => document.getElementById(id);
const state = { me: null, accounts: [], editing: null, tag: "", shown: {} };
const ROLES = ["reader", "writer", "admin"];

class Problem extends Error {
  constructor(status, body) {
    super([body.detail, ...(body.errors || []), body.hint].filter(Boolean).join("\n"));
    this.status = status;
  }
}

async function call(method, path, body, headers = {}) {
  const token = sessionStorage.getItem("token");
  const options = { method, headers: { ...headers }, cache: "no-store", redirect: "error", credentials: "same-origin" };
  if (token) options.headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Problem(0, { detail: "The server does not answer." });
  }
  const isJson = (answer.headers.get("Content-Type") || "").includes("json");
  const content = isJson ? await answer.json() : await answer.text();
  if (answer.status === 401 && state.me) signOut("Your session has ended. Sign in again.");
  if (!answer.ok) throw new Problem(answer.status, isJson ? content : { detail: `HTTP ${answer.status}` });
  return { content, headers: answer.headers };
}

const may = (role) => ROLES.indexOf(state.me.role) >= ROLES.indexOf(role);
const account = (name) => `/v1/accounts/${encodeURIComponent(name)}`;

function say(text) {
  $("status").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("status").textContent = ""; }, 6000);
}

// --- sign in

async function start() {
  try {
    state.me = (await call("GET", "/v1/me")).content;
  } catch (problem) {
    $("sign-in").hidden = false;
    $("sign-in-error").textContent = sessionStorage.getItem("token") ? problem.message : "";
    sessionStorage.removeItem("token");
    $("token").focus();
    return;
  }
  $("sign-in").hidden = true;
  $("accounts").hidden = false;
  $("who").hidden = $("sign-out").hidden = false;
  $("who").textContent = `${state.me.name} · ${state.me.role}`;
  $("add").hidden = !may("writer");
  $("show-agents").hidden = !state.me.hasController;
  $("remote-label").hidden = !state.me.hasController;
  $("provider").replaceChildren(...state.me.providers.map((name) => element("option", { value: name, text: name })));
  await load();
}

function signOut(message = "") {
  sessionStorage.removeItem("token");
  state.me = null;
  for (const id of ["accounts", "who", "sign-out"]) $(id).hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  $("sign-in").hidden = false;
  $("sign-in-error").textContent = message;
  $("token").focus();
}

// --- the list

async function load() {
  try {
    state.accounts = (await call("GET", "/v1/accounts?history=true")).content.accounts;
    draw();
  } catch (problem) {
    say(problem.message);
  }
}

function draw() {
  const wanted = $("filter").value.trim().toLowerCase();
  const found = state.accounts.filter((one) =>
    [one.name, one.provider, one.environment, one.agent].some((text) => text.toLowerCase().includes(wanted)));
  $("rows").replaceChildren(...found.map((one) => accountRow(one, may("writer"), { edit: (it) => edit(it).catch((problem) => say(problem.message)), remove, renew })));
  $("count").textContent = found.length === state.accounts.length ? found.length : `${found.length} of ${state.accounts.length}`;
  $("empty").hidden = state.accounts.length > 0;
}

// --- add and edit

function openEditor(title) {
  $("editor-form").reset();
  $("editor-title").textContent = title;
  for (const id of ["editor-error", "kubeconfig-error"]) $(id).textContent = "";
  $("permissions").replaceChildren(...permissionInputs());
  $("context").replaceChildren();
  $("context").disabled = true;
  unreview();
  switchRemote();
  switchProvider();
  $("editor").showModal();
}

function add() {
  state.editing = null;
  state.shown = {};
  $("name").disabled = $("provider").disabled = false;
  openEditor("Add account");
  $("provider").value = "kubernetes";
  switchProvider();
  $("name").focus();
}

async function edit(one) {
  const { content, headers } = await call("GET", account(one.name));
  state.editing = content;
  state.tag = headers.get("ETag");
  state.shown = content.fields;
  openEditor(`Edit ${one.name}`);
  if (![...$("provider").options].some((option) => option.value === content.provider)) {
    $("provider").append(element("option", { value: content.provider, text: content.provider }));
  }
  $("name").value = content.name;
  $("provider").value = content.provider;
  $("name").disabled = $("provider").disabled = true;
  $("environment").value = content.environment;
  const permissions = content.fields.permissions || {};
  for (const name of PERMISSIONS) $(`permission-${name}`).value = (permissions[name] || []).join(", ");
  switchProvider();
  $("environment").focus();
}

function switchProvider() {
  $("connection").hidden = $("provider").value !== "kubernetes";
}

function switchRemote() {
  $("agent-part").hidden = !$("remote").checked;
  $("kubeconfig-part").hidden = $("remote").checked;
  if ($("remote").checked) listAgents();
}

async function listAgents() {
  try {
    const { agents } = (await call("GET", "/v1/agents")).content;
    $("agents-list").replaceChildren(...agents.map((one) => element("option", { value: one.name })));
  } catch (problem) {
    $("editor-error").textContent = problem.message;
  }
}

async function readFile() {
  const [file] = $("file").files;
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  $("kubeconfig").value = new TextDecoder(encoding).decode(bytes);
  await pickContext();
}

async function pickContext() {
  unreview();
  $("kubeconfig-error").textContent = "";
  $("context").replaceChildren();
  $("context").disabled = true;
  if (!$("kubeconfig").value.trim()) return;
  try {
    const { contexts, current } = (await call("POST", "/v1/contexts", { kubeconfig: $("kubeconfig").value })).content;
    $("context").replaceChildren(...contexts.map((name) =>
      element("option", { value: name, text: name === current ? `${name} (current)` : name })));
    $("context").disabled = contexts.length === 0;
    if (contexts.includes(current)) $("context").value = current;
  } catch (problem) {
    $("kubeconfig-error").textContent = problem.message;
  }
}

function permissionFields() {
  const lists = {};
  for (const name of PERMISSIONS) {
    const groups = $(`permission-${name}`).value.split(",").map((text) => text.trim()).filter(Boolean);
    const had = (state.shown.permissions || {})[name];
    if (groups.length) lists[name] = groups;
    else if (had) lists[name] = null;
  }
  return Object.keys(lists).length ? { permissions: lists } : {};
}

function request() {
  const fields = { ...permissionFields() };
  const environment = $("environment").value.trim();
  if (environment !== (state.shown.environment || "")) fields.environment = environment || null;
  if ($("fields").value.trim()) {
    let more;
    try {
      more = JSON.parse($("fields").value);
    } catch {
      throw new Problem(0, { detail: "The further fields are not valid JSON." });
    }
    Object.assign(fields, more);
  }
  const body = { fields };
  if ($("provider").value === "kubernetes") {
    if ($("remote").checked) {
      body.agent = $("agent").value.trim();
      body.endpoint = $("endpoint").value.trim();
    } else if ($("kubeconfig").value.trim()) {
      body.kubeconfig = $("kubeconfig").value;
      body.context = $("context").value;
    }
  }
  if (!state.editing) {
    for (const [key, value] of Object.entries(fields)) if (value === null) delete fields[key];
    Object.assign(body, { name: $("name").value, provider: $("provider").value });
  }
  return body;
}

function send(body, isPreview) {
  const query = isPreview ? "?dryRun=true" : "";
  const headers = isPreview ? {} : { "Idempotency-Key": crypto.randomUUID() };
  if (!state.editing) return call("POST", `/v1/accounts${query}`, body, headers);
  return call("PATCH", account(state.editing.name) + query, body, { ...headers, "If-Match": state.tag });
}

function unreview() {
  $("review").hidden = $("commit").hidden = true;
  $("preview").hidden = false;
}

async function review() {
  $("editor-error").textContent = "";
  try {
    const { content } = await send(request(), true);
    $("diff").replaceChildren(...(content.diff.length ? diffLines(content.diff) : ["Nothing to change."]));
    $("notes").replaceChildren(...content.notes.map((text) => element("li", { text })));
    $("review").hidden = false;
    $("commit").hidden = content.diff.length === 0;
    $("preview").hidden = content.diff.length > 0;
    (content.diff.length ? $("commit") : $("preview")).focus();
    $("review").scrollIntoView({ block: "nearest" });
  } catch (problem) {
    $("editor-error").textContent = problem.message;
  }
}

async function commit() {
  $("commit").disabled = true;
  try {
    const { content } = await send(request(), false);
    $("editor").close();
    say([`Committed ${content.account} as ${content.revision.slice(0, 12)}.`, ...content.notes].join(" "));
    await load();
  } catch (problem) {
    unreview();
    $("editor-error").textContent = problem.message;
  } finally {
    $("commit").disabled = false;
  }
}

// --- remove and renew

function remove(one) {
  state.editing = one;
  $("removal-name").textContent = one.name;
  $("removal-error").textContent = "";
  $("removal").showModal();
}

async function confirmRemoval() {
  try {
    const { content } = await call("DELETE", account(state.editing.name));
    $("removal").close();
    say(`Removed ${content.account}. Nothing was revoked.`);
    await load();
  } catch (problem) {
    $("removal-error").textContent = problem.message;
  }
}

async function renew(one) {
  try {
    await call("POST", `${account(one.name)}/renew`);
    say(`Renewed the kubeconfig of ${one.name}.`);
    await load();
  } catch (problem) {
    say(problem.message);
  }
}

// --- agents

async function showAgents() {
  $("agents-error").textContent = "";
  $("agents").showModal();
  try {
    const { agents } = (await call("GET", "/v1/agents")).content;
    $("agent-rows").replaceChildren(...agents.map(agentRow));
    $("agents-empty").hidden = agents.length > 0;
  } catch (problem) {
    $("agents-error").textContent = problem.message;
  }
}

async function download(event) {
  event.preventDefault();
  $("agents-error").textContent = "";
  const name = $("manifest-agent").value.trim();
  const services = event.submitter.value === "yes";
  const body = { namespace: $("manifest-namespace").value.trim(), services,
    endpoints: [{ name: $("manifest-endpoint").value.trim(), type: "kubernetes" }] };
  try {
    const { content } = await call("POST", `/v1/agents/${encodeURIComponent(name)}/manifest`, body);
    const link = element("a", { href: URL.createObjectURL(new Blob([content], { type: "application/yaml" })),
      download: services ? `${name}-services.yaml` : `${name}.yaml` });
    link.click();
    URL.revokeObjectURL(link.href);
    say("Downloaded. Apply it in the remote cluster.");
  } catch (problem) {
    $("agents-error").textContent = problem.message;
  }
}

// --- events

$("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  $("token").value = "";
  start();
});
$("sign-out").addEventListener("click", () => signOut());
$("filter").addEventListener("input", draw);
$("add").addEventListener("click", add);
$("remote").addEventListener("change", () => { unreview(); switchRemote(); });
$("provider").addEventListener("change", () => { unreview(); switchProvider(); });
$("file").addEventListener("change", readFile);
$("kubeconfig").addEventListener("change", pickContext);
$("editor-form").addEventListener("input", unreview);
$("editor-form").addEventListener("submit", (event) => { event.preventDefault(); review(); });
$("commit").addEventListener("click", commit);
$("remove").addEventListener("click", confirmRemoval);
$("show-agents").addEventListener("click", showAgents);
$("manifest-form").addEventListener("submit", download);
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
start();
