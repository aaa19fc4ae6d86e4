// Builds the parts of the page from data. Texts are set as text, never as HTML.

export const PERMISSIONS = ["READ", "WRITE", "EXECUTE", "CREATE"];

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

function tag(kind, text) {
  return element("span", { class: `tag ${kind}`, text });
}

function certificate(account) {
  if (account.daysLeft === null) return element("span", { class: "help", text: "–" });
  const day = account.expires.slice(0, 10);
  if (account.daysLeft < 0) return tag("bad", `expired ${day}`);
  if (account.daysLeft < 30) return tag("warn", `${account.daysLeft} days left`);
  return tag("good", `until ${day}`);
}

function agent(account) {
  if (!account.agent) return element("span", { class: "help", text: "–" });
  const state = { true: ["good", "connected"], false: ["bad", "not connected"], null: ["", "unknown"] };
  const [kind, words] = state[String(account.isConnected)];
  return element("span", {}, tag(kind, account.agent), element("small", { text: words }));
}

function lastChange(account) {
  if (!account.changedAt) return element("td", {}, element("span", { class: "help", text: "–" }));
  const time = account.changedAt.slice(0, 16).replace("T", " ");
  return element("td", {}, account.changedBy || "–", element("small", { text: time }));
}

export function accountRow(account, canWrite, actions) {
  const button = (text, action, label) =>
    element("button", { type: "button", class: "quiet small", "aria-label": `${label} ${account.name}`, text,
      onclick: () => action(account) });
  const buttons = [];
  if (canWrite) {
    if (account.agent) buttons.push(button("Renew", actions.renew, "Renew the kubeconfig of"), " ");
    buttons.push(button("Edit", actions.edit, "Edit"), " ", button("Remove", actions.remove, "Remove"));
  }
  return element("tr", {},
    element("td", { class: "name", text: account.name }),
    element("td", { text: account.provider }),
    element("td", { text: account.environment || "–" }),
    element("td", {}, agent(account)),
    element("td", {}, certificate(account)),
    lastChange(account),
    element("td", { class: "do" }, ...buttons));
}

export function agentRow(one) {
  const endpoints = one.endpoints.map((e) => `${e.name} (${e.type})`).join(", ");
  const ping = one.lastPing === null ? "–" : `${Math.round(one.lastPing)} s ago`;
  return element("tr", {}, element("td", { class: "name", text: one.name }), element("td", { text: one.version }),
    element("td", { text: ping }), element("td", { text: endpoints || "–" }));
}

export function diffLines(lines) {
  const kinds = { "+": "plus", "-": "minus" };
  return lines.map((line) => element("span", { class: kinds[line[0]] || "", text: line }));
}

export function permissionInputs() {
  return PERMISSIONS.map((name) => element("div", {},
    element("label", { for: `permission-${name}`, text: name }),
    element("input", { id: `permission-${name}`, autocomplete: "off" })));
}
