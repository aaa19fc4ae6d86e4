// The templates of the page: state in, HTML out. lit-html sets every value as text or as a property, never as HTML.

import { html, nothing } from "/lit-html.js";

export const PERMISSIONS = ["READ", "WRITE", "EXECUTE", "CREATE"];
const ROLES = ["reader", "writer", "admin"];
export const isRemote = (editor) => editor.isRemote && editor.provider === "kubernetes";
const may = (state, role) => ROLES.indexOf(state.me.role) >= ROLES.indexOf(role);

export const pageView = (state, act) => html`
  <header>
    <h1><span class="mark" aria-hidden="true">h</span> Dynamic accounts</h1>
    ${state.me ? html`<p id="who" class="who">${state.me.name} · ${state.me.role}</p>
      <button id="sign-out" type="button" class="quiet" @click=${() => act.signOut()}>Sign out</button>` : nothing}
  </header>
  <main id="main" tabindex="-1">
    ${state.me ? accountsView(state, act) : state.me === null ? signInView(state, act) : nothing}
  </main>
  <p id="status" class="status" role="status" aria-live="polite">${state.status}</p>
  ${state.dialog ? VIEWS[state.dialog.kind](state, state.dialog, act) : nothing}`;

const signInView = (state, act) => html`
  <section id="sign-in" class="card narrow" aria-labelledby="sign-in-title">
    <h2 id="sign-in-title">Sign in</h2>
    <form @submit=${act.signIn}>
      <label for="token">Access token</label>
      <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required>
      <p class="help">The token stays in this tab and is forgotten when it closes.</p>
      ${errorView(state.error)}
      <button type="submit">Sign in</button>
    </form>
  </section>`;

const errorView = (text) => html`<p class="error" role="alert">${text}</p>`;

// --- the list

function accountsView(state, act) {
  const accounts = state.accounts || [];
  const wanted = state.filter.trim().toLowerCase();
  const found = accounts.filter((one) =>
    [one.name, one.provider, one.environment, one.agent].some((text) => text.toLowerCase().includes(wanted)));
  return html`
    <section id="accounts" aria-labelledby="accounts-title">
      <div class="bar">
        <h2 id="accounts-title">Accounts <span id="count" class="count">${
          found.length === accounts.length ? found.length : `${found.length} of ${accounts.length}`}</span></h2>
        <label class="search" for="filter"><span class="hidden">Filter</span>
          <input id="filter" type="search" placeholder="Filter by name, provider, environment" @input=${act.filter}></label>
        ${state.me.hasController ? html`<button type="button" class="quiet" @click=${act.showAgents}>Agents</button>` : nothing}
        ${may(state, "writer") ? html`<button id="add" type="button" @click=${act.add}>Add account</button>` : nothing}
      </div>
      ${errorView(state.error)}
      <div class="scroll card">
        <table>
          <thead><tr>
            <th scope="col">Account</th><th scope="col">Provider</th><th scope="col">Environment</th>
            <th scope="col">Agent</th><th scope="col">Certificate</th><th scope="col">Last change</th>
            <th scope="col"><span class="hidden">Actions</span></th>
          </tr></thead>
          <tbody id="rows">${found.map((one) => accountRow(one, may(state, "writer"), act))}</tbody>
        </table>
        ${state.accounts?.length === 0 ? html`<p class="empty">No accounts yet. Add the first one.</p>` : nothing}
      </div>
    </section>`;
}

const none = html`<span class="help">–</span>`;
const tag = (kind, text) => html`<span class="tag ${kind}">${text}</span>`;

const accountRow = (account, canWrite, act) => html`
  <tr>
    <td class="name">${account.name}</td><td>${account.provider}</td><td>${account.environment || none}</td>
    <td>${agentTag(account)}</td><td>${certificateTag(account)}</td>
    <td>${account.changedAt ? html`${account.changedBy || "–"}<small>${
      account.changedAt.slice(0, 16).replace("T", " ")}</small>` : none}</td>
    <td class="do">${canWrite ? html`
      ${account.agent ? rowButton("Renew", `Renew the kubeconfig of ${account.name}`, () => act.renew(account)) : nothing}
      ${rowButton("Edit", `Edit ${account.name}`, () => act.edit(account))}
      ${rowButton("Remove", `Remove ${account.name}`, () => act.remove(account))}` : nothing}</td>
  </tr>`;

const rowButton = (text, label, action) =>
  html`<button type="button" class="quiet small" aria-label=${label} @click=${action}>${text}</button>`;

function agentTag(account) {
  if (!account.agent) return none;
  const states = { true: ["good", "connected"], false: ["bad", "not connected"], null: ["", "unknown"] };
  const [kind, words] = states[String(account.isConnected)];
  return html`${tag(kind, account.agent)}<small>${words}</small>`;
}

function certificateTag(account) {
  if (account.daysLeft === null) return none;
  const day = account.expires.slice(0, 10);
  if (account.daysLeft < 0) return tag("bad", `expired ${day}`);
  return account.daysLeft < 30 ? tag("warn", `${account.daysLeft} days left`) : tag("good", `until ${day}`);
}

// --- add and edit

const editorView = (state, editor, act) => html`
  <dialog id="editor" aria-labelledby="editor-title" @cancel=${act.cancel} @close=${act.closed}>
    <form id="editor-form" method="dialog" @submit=${act.review} @input=${act.typed}>
      <h2 id="editor-title">${editor.account ? `Edit ${editor.account.name}` : "Add account"}</h2>
      <div class="grid">
        <div><label for="name">Name</label>
          <input id="name" name="name" required maxlength="200" autocomplete="off" spellcheck="false"
            value=${editor.account?.name ?? ""} ?disabled=${editor.account}></div>
        <div><label for="provider">Provider</label>
          <select id="provider" name="provider" ?disabled=${editor.account} @change=${act.switchProvider}>
            ${[...new Set([...state.me.providers, editor.provider])].map((name) =>
              html`<option ?selected=${name === editor.provider}>${name}</option>`)}</select></div>
        <div><label for="environment">Environment</label>
          <input id="environment" name="environment" autocomplete="off" placeholder="prod"
            value=${editor.shown.environment ?? ""} ?autofocus=${editor.account}></div>
      </div>
      ${connectionView(state, editor, act)}
      <fieldset>
        <legend>Permissions <span class="help">groups, separated by commas; empty is everybody</span></legend>
        <div class="grid four">${PERMISSIONS.map((name) => html`
          <div><label for="permission-${name}">${name}</label>
            <input id="permission-${name}" name=${name} autocomplete="off"
              value=${(editor.shown.permissions?.[name] ?? []).join(", ")}></div>`)}</div>
      </fieldset>
      <details>
        <summary>Further fields</summary>
        <label for="fields">Fields as JSON; null removes a field</label>
        <textarea id="fields" name="fields" rows="5" spellcheck="false"
          placeholder='{"namespaces": ["shop"], "cacheThreads": 2}'></textarea>
      </details>
      ${errorView(editor.error)}
      ${editor.review ? reviewView(editor.review) : nothing}
      <div class="actions">
        <button type="button" class="quiet" @click=${act.close}>Cancel</button>
        <button id="preview" type="submit" ?hidden=${editor.review?.diff.length}>Review changes</button>
        <button id="commit" type="button" ?hidden=${!editor.review?.diff.length} ?disabled=${editor.isBusy}
          @click=${act.commit}>Commit</button>
      </div>
    </form>
  </dialog>`;

// Parts that are hidden keep what was typed.
const connectionView = (state, editor, act) => html`
  <fieldset id="connection" ?hidden=${editor.provider !== "kubernetes"}>
    <legend>Connection</legend>
    ${state.me.hasController ? html`<label class="switch"><input id="remote" type="checkbox" role="switch"
      @change=${act.switchRemote}> <span>Remote cluster, through an agent of the controller</span></label>` : nothing}
    <div id="agent-part" ?hidden=${!editor.isRemote}>${remoteView(editor)}</div>
    <div id="kubeconfig-part" ?hidden=${editor.isRemote}>${kubeconfigView(editor, act)}</div>
  </fieldset>`;

const remoteView = (editor) => html`
  <div class="grid two">
    <div><label for="agent">Agent</label>
      <input id="agent" name="agent" list="agents-list" autocomplete="off" ?required=${isRemote(editor)}>
      <datalist id="agents-list">${editor.agents?.map((one) => html`<option value=${one.name}></option>`)}</datalist></div>
    <div><label for="endpoint">Endpoint</label>
      <input id="endpoint" name="endpoint" value="kubernetes" autocomplete="off" ?required=${isRemote(editor)}></div>
  </div>
  <p class="help">${editor.agents === null ? "The controller has not answered yet." : editor.agents.length
    ? `Connected agents: ${editor.agents.map((one) => one.name).join(", ")}` : "No agent is connected."}</p>`;

const kubeconfigView = (editor, act) => html`
  <label for="kubeconfig">Kubeconfig</label>
  <textarea id="kubeconfig" name="kubeconfig" rows="6" spellcheck="false" autocomplete="off"
    placeholder="Paste the kubeconfig, or choose its file below" @change=${act.pickContext}></textarea>
  <div class="grid two">
    <div><label for="file">File</label><input id="file" type="file" @change=${act.readFile}></div>
    <div><label for="context">Context</label>
      <select id="context" name="context" ?disabled=${!editor.contexts.length}>${editor.contexts.map((name) => html`
        <option value=${name} ?selected=${name === editor.current}>${
          name === editor.current ? `${name} (current)` : name}</option>`)}</select></div>
  </div>
  ${errorView(editor.kubeconfigError)}`;

const LINES = { "+": "plus", "-": "minus" };
const reviewView = (review) => html`
  <section id="review" aria-labelledby="review-title">
    <h3 id="review-title">This will be committed</h3>
    <pre id="diff" class="diff" tabindex="0">${review.diff.length
      ? review.diff.map((line) => html`<span class=${LINES[line[0]] ?? ""}>${line}</span>`) : "Nothing to change."}</pre>
    <ul class="notes">${review.notes.map((text) => html`<li>${text}</li>`)}</ul>
  </section>`;

// --- remove

const removalView = (state, removal, act) => html`
  <dialog id="removal" aria-labelledby="removal-title" @cancel=${act.cancel} @close=${act.closed}>
    <h2 id="removal-title">Remove account</h2>
    <p>Remove <strong>${removal.account.name}</strong> from Clouddriver?</p>
    <p class="warning">Nothing is revoked: the credentials in its kubeconfig stay valid until they are revoked at the
      cluster.</p>
    ${errorView(removal.error)}
    <div class="actions">
      <button type="button" class="quiet" @click=${act.close}>Cancel</button>
      <button type="button" class="danger" ?disabled=${removal.isBusy} @click=${act.confirmRemoval}>Remove account</button>
    </div>
  </dialog>`;

// --- agents

const agentsView = (state, dialog, act) => html`
  <dialog id="agents" aria-labelledby="agents-title" @cancel=${act.cancel} @close=${act.closed}>
    <h2 id="agents-title">Agents</h2>
    <table>
      <thead><tr><th scope="col">Agent</th><th scope="col">Version</th><th scope="col">Last ping</th>
        <th scope="col">Endpoints</th></tr></thead>
      <tbody id="agent-rows">${dialog.agents?.map((one) => html`<tr>
        <td class="name">${one.name}</td><td>${one.version}</td>
        <td>${one.lastPing === null ? none : `${Math.round(one.lastPing)} s ago`}</td>
        <td>${one.endpoints.map((e) => `${e.name} (${e.type})`).join(", ") || none}</td></tr>`)}</tbody>
    </table>
    ${dialog.agents?.length === 0 ? html`<p class="empty">No agent is connected.</p>` : nothing}
    ${may(state, "admin") ? manifestView(act) : nothing}
    ${errorView(dialog.error)}
    <div class="actions">
      <button type="button" class="quiet" @click=${act.close}>Close</button>
      ${may(state, "admin") ? html`
        <button type="submit" form="manifest-form" name="services" value="yes" class="quiet">Download services</button>
        <button type="submit" form="manifest-form" name="services" value="">Download manifest</button>` : nothing}
    </div>
  </dialog>`;

const manifestView = (act) => html`
  <h3>Manifest of an agent</h3>
  <form id="manifest-form" @submit=${act.download}>
    <div class="grid">
      <div><label for="manifest-agent">Agent</label><input id="manifest-agent" name="agent" required autocomplete="off"></div>
      <div><label for="manifest-namespace">Namespace</label>
        <input id="manifest-namespace" name="namespace" required value="opsmx-agent" autocomplete="off"></div>
      <div><label for="manifest-endpoint">Endpoint</label>
        <input id="manifest-endpoint" name="endpoint" required value="kubernetes" autocomplete="off"></div>
    </div>
    <p class="help">The manifest holds a private key. Apply it in the remote cluster and delete the file.</p>
  </form>`;

const VIEWS = { editor: editorView, removal: removalView, agents: agentsView };
