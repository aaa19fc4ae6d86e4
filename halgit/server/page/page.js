// The page of accounts: one state, actions that change it through the API of the same server, and one function that
// draws it. The token is kept for the tab only and is sent as a header, so that no other site can send it.

import { render } from "/lit-html.js";
import { PERMISSIONS, isRemote, pageView } from "/views.js";

const root = document.getElementById("page");
const state = { me: undefined, accounts: null, filter: "", error: "", status: "", dialog: null };

function draw() {
  render(pageView(state, actions), root);
  root.querySelector("dialog:not([open])")?.showModal();
}

const focus = (id) => document.getElementById(id)?.focus();
const form = () => Object.fromEntries(new FormData(document.getElementById("editor-form")));
const account = (name) => `/v1/accounts/${encodeURIComponent(name)}`;
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16)).join("-");

// --- requests

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
  if (answer.status === 401 && state.me) actions.signOut("Your session has ended. Sign in again.");
  if (!answer.ok) throw new Problem(answer.status, isJson ? content : { detail: `HTTP ${answer.status}` });
  return { content, headers: answer.headers };
}

// Runs steps that may fail, and puts the problem in words where it belongs.
async function attempt(place, steps, field = "error") {
  place[field] = "";
  try {
    await steps();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    place[field] = problem.message;
  }
  draw();
}

function say(text) {
  state.status = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { state.status = ""; draw(); }, 6000);
  draw();
}

// --- sign in, and the list

async function start() {
  try {
    state.me = (await call("GET", "/v1/me")).content;
  } catch (problem) {
    actions.signOut(sessionStorage.getItem("token") ? problem.message : "");
    return;
  }
  await load();
}

const load = () => attempt(state, async () => {
  state.accounts = (await call("GET", "/v1/accounts?history=true")).content.accounts;
});

function open(dialog) {
  state.dialog = { error: "", ...dialog };
  draw();
}

// Sends a change that a dialog describes, once; then closes the dialog, tells the result and lists again.
async function finish(dialog, change, describe) {
  dialog.isBusy = true;
  await attempt(dialog, async () => {
    draw();
    const { content } = await change();
    if (state.dialog === dialog) actions.close();
    say(describe(content));
    await load();
  });
  dialog.isBusy = false;
  draw();
}

// --- the change that the editor's form describes

function permissionFields(values, shown) {
  const lists = {};
  for (const name of PERMISSIONS) {
    const groups = values[name].split(",").map((text) => text.trim()).filter(Boolean);
    if (groups.length) lists[name] = groups;
    else if (shown.permissions?.[name]) lists[name] = null;
  }
  return Object.keys(lists).length ? { permissions: lists } : {};
}

function furtherFields(text) {
  try {
    return text.trim() ? JSON.parse(text) : {};
  } catch {
    throw new Problem(0, { detail: "The further fields are not valid JSON." });
  }
}

function access(values, editor) {
  if (editor.provider !== "kubernetes") return {};
  if (isRemote(editor)) return { agent: values.agent.trim(), endpoint: values.endpoint.trim() };
  return values.kubeconfig.trim() ? { kubeconfig: values.kubeconfig, context: values.context ?? "" } : {};
}

function request(editor) {
  const values = form();
  const fields = permissionFields(values, editor.shown);
  const environment = values.environment.trim();
  if (environment !== (editor.shown.environment ?? "")) fields.environment = environment || null;
  Object.assign(fields, furtherFields(values.fields));
  const body = { fields, ...access(values, editor) };
  if (editor.account) return body;
  body.fields = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  return { ...body, name: values.name, provider: editor.provider };
}

function send(editor, headers, query = "") {
  if (!editor.account) return call("POST", `/v1/accounts${query}`, request(editor), headers);
  return call("PATCH", account(editor.account.name) + query, request(editor), { ...headers, "If-Match": editor.tag });
}

const EDITOR = { kind: "editor", account: null, shown: {}, provider: "kubernetes", isRemote: false, agents: null,
  contexts: [], current: "", kubeconfigError: "", review: null, isBusy: false };

const actions = {
  signIn(event) {
    event.preventDefault();
    sessionStorage.setItem("token", new FormData(event.target).get("token").trim());
    event.target.reset();
    start();
  },

  signOut(message = "") {
    sessionStorage.removeItem("token");
    actions.close();
    Object.assign(state, { me: null, accounts: null, filter: "", error: message });
    draw();
    focus("token");
  },

  filter(event) {
    state.filter = event.target.value;
    draw();
  },

  // --- dialogs

  close() {
    state.dialog = null;
    root.querySelector("dialog[open]")?.close();
    draw();
  },

  // The Escape key; a file input sends an event of this name too.
  cancel(event) {
    if (event.target.tagName !== "DIALOG") return;
    event.preventDefault();
    actions.close();
  },

  // The browser closed it by itself.
  closed(event) {
    if (!event.target.open && event.target.isConnected) actions.close();
  },

  add: () => open(EDITOR),

  edit: (one) => attempt(state, async () => {
    const { content, headers } = await call("GET", account(one.name));
    open({ ...EDITOR, account: content, tag: headers.get("ETag"), shown: content.fields, provider: content.provider });
  }),

  typed() {
    state.dialog.review = null;
    draw();
  },

  switchProvider(event) {
    state.dialog.provider = event.target.value;
    draw();
  },

  switchRemote(event) {
    const editor = state.dialog;
    editor.isRemote = event.target.checked;
    draw();
    if (editor.isRemote) attempt(editor, async () => { editor.agents = (await call("GET", "/v1/agents")).content.agents; });
  },

  async readFile(event) {
    const [file] = event.target.files;
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const [first, second] = bytes;
    const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
    document.getElementById("kubeconfig").value = new TextDecoder(encoding).decode(bytes);
    await actions.pickContext();
  },

  pickContext() {
    const editor = state.dialog;
    const { kubeconfig } = form();
    Object.assign(editor, { contexts: [], current: "", review: null });
    return attempt(editor, async () => {
      draw();
      if (!kubeconfig.trim()) return;
      Object.assign(editor, (await call("POST", "/v1/contexts", { kubeconfig })).content);
    }, "kubeconfigError");
  },

  async review(event) {
    event.preventDefault();
    const editor = state.dialog;
    await attempt(editor, async () => {
      editor.review = (await send(editor, {}, "?dryRun=true")).content;
      editor.key = newKey();
    });
    if (!editor.review) return;
    focus(editor.review.diff.length ? "commit" : "preview");
    document.getElementById("review")?.scrollIntoView({ block: "nearest" });
  },

  commit() {
    const editor = state.dialog;
    return finish(editor, () => send(editor, { "Idempotency-Key": editor.key }), (done) =>
      [`Committed ${done.account} as ${done.revision.slice(0, 12)}.`, ...done.notes].join(" "));
  },

  // --- remove and renew

  remove: (one) => open({ kind: "removal", account: one, key: newKey() }),

  confirmRemoval() {
    const { account: one, key } = state.dialog;
    return finish(state.dialog, () => call("DELETE", account(one.name), undefined, { "Idempotency-Key": key }),
      (done) => `Removed ${done.account}. Nothing was revoked.`);
  },

  renew: (one) => attempt(state, async () => {
    one.key ??= newKey();
    await call("POST", `${account(one.name)}/renew`, undefined, { "Idempotency-Key": one.key });
    say(`Renewed the kubeconfig of ${one.name}.`);
    await load();
  }),

  // --- agents

  showAgents() {
    open({ kind: "agents", agents: null });
    const dialog = state.dialog;
    attempt(dialog, async () => { dialog.agents = (await call("GET", "/v1/agents")).content.agents; });
  },

  async download(event) {
    event.preventDefault();
    const { agent, namespace, endpoint } = Object.fromEntries(new FormData(event.target));
    const services = event.submitter.value === "yes";
    await attempt(state.dialog, async () => {
      const body = { namespace: namespace.trim(), services, endpoints: [{ name: endpoint.trim(), type: "kubernetes" }] };
      const { content } = await call("POST", `/v1/agents/${encodeURIComponent(agent.trim())}/manifest`, body);
      save(content, services ? `${agent}-services.yaml` : `${agent}.yaml`);
      say("Downloaded. Apply it in the remote cluster.");
    });
  },
};

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

start();
