"""The page in Debian's Chromium, driven against the real server and a real git repository; by keyboard where it can be.

With SCREENSHOTS=1 it writes the screenshots of docs/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import needs
import pytest
from servers.accounts_server import ADMIN, READER, AccountServer, account_server

KUBECONFIG = """\
clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'}}]
users: [{name: u, user: {token: example-token}}]
contexts: [{name: staging, context: {cluster: c, user: u}}, {name: prod, context: {cluster: c, user: u}}]
current-context: staging
"""
IMAGES = needs.ROOT / "docs" / "images"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountServer]:
    with account_server(tmp_path_factory.mktemp("page")) as running:
        running.remote.names = {"shop-cluster": ["kubernetes"], "eu-west": ["kubernetes", "jenkins"]}
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = needs.program("chromium", "chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tool:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP accounts.test 127.0.0.1"]
        running = tool.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, server: AccountServer) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1240, "height": 780}, accept_downloads=True)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Security Policy" in line.text else None)
    page.goto(server.url)
    yield page
    context.close()
    assert not faults


def sign_in(page: Any, token: str = ADMIN) -> None:
    page.get_by_label("Access token").fill(token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Accounts", exact=False).first.wait_for()
    page.locator("#accounts").wait_for(state="visible")


def picture(page: Any, name: str) -> None:
    if os.environ.get("SCREENSHOTS"):
        IMAGES.mkdir(exist_ok=True)
        page.screenshot(path=str(IMAGES / f"{name}.png"))


def test_a_wrong_token_is_reported(page: Any) -> None:
    page.get_by_label("Access token").fill("nonsense")
    page.keyboard.press("Enter")
    page.get_by_text("The bearer token is not known.").wait_for()
    assert page.locator("#accounts").is_hidden()


def test_accounts_are_added_changed_and_removed(page: Any, server: AccountServer) -> None:
    sign_in(page)
    page.get_by_text("No accounts yet.").wait_for()

    # By keyboard alone: a kubeconfig is pasted, its context picked, the difference reviewed and committed.
    page.get_by_role("button", name="Add account").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("prod-eu")
    page.locator("#environment").fill("prod")
    page.locator("#kubeconfig").fill(KUBECONFIG)
    page.keyboard.press("Tab")
    page.locator("#context option").first.wait_for(state="attached")
    assert page.locator("#context").input_value() == "staging"
    page.locator("#context").select_option("prod")
    page.locator("#permission-READ").fill("dev, ops")
    page.locator("#permission-WRITE").fill("ops")
    page.keyboard.press("Enter")
    page.get_by_text("This will be committed").wait_for()
    difference = page.locator("#diff").inner_text()
    assert "+ name: prod-eu" in difference
    assert "example-token" not in difference
    assert page.evaluate("document.activeElement.id") == "commit"
    picture(page, "accounts-review")
    page.keyboard.press("Enter")
    page.get_by_text("Committed prod-eu as").wait_for()
    text = server.repository.git("show", "main:accounts/clouddriver-local.yml")
    assert "context: prod" in text
    assert "{cipher}" in text

    # Through an agent, with the switch.
    server.remote.days = 20
    page.get_by_role("button", name="Add account").click()
    page.locator("#name").fill("shop")
    page.get_by_role("switch").check()
    page.locator("#agent").fill("shop-cluster")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Commit").click()
    page.get_by_text("Committed shop as").wait_for()
    server.remote.days = 365
    server.call("POST", "/v1/accounts", {"name": "registry", "provider": "docker-registry", "fields": {
        "address": "https://index.docker.io", "environment": "all"}})  # fmt: skip
    server.call("POST", "/v1/accounts", {"name": "billing", "agent": "gone", "fields": {"environment": "test"}})
    page.reload()
    page.get_by_text("20 days left").or_(page.get_by_text("19 days left")).wait_for()
    page.get_by_text("not connected").wait_for()
    picture(page, "accounts")
    cells = page.locator("#rows tr", has_text="prod-eu").locator("td, th").all_inner_texts()
    author, changed = cells[5].split("\n")[0], cells[5].split("\n")[-1]
    assert (cells[:3], author) == (["prod-eu", "kubernetes", "prod"], "api-token")
    assert changed[:10] == server.repository.git("log", "-1", "--format=%as", "main")
    assert page.locator("#rows tr", has_text="billing").get_by_text("until 20").count() == 1
    assert page.locator("#rows tr", has_text="shop").get_by_text("connected", exact=True).count() == 1

    # A filter, a change, and a change that somebody else made meanwhile.
    page.get_by_label("Filter").fill("prod")
    assert page.locator("#rows tr").count() == 1
    page.get_by_role("button", name="Edit prod-eu").click()
    assert page.locator("#permission-READ").input_value() == "dev, ops"
    server.call("PATCH", "/v1/accounts/prod-eu", {"fields": {"cacheThreads": 4}})
    page.locator("#permission-READ").fill("")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_text("The account prod-eu has changed since it was read.").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Edit prod-eu").click()
    page.locator("#permission-READ").fill("")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_role("button", name="Commit").click()
    page.get_by_text("Committed prod-eu as").wait_for()
    assert server.call("GET", "/v1/accounts/prod-eu").body["fields"]["permissions"] == {"WRITE": ["ops"]}

    page.get_by_label("Filter").fill("")
    page.get_by_role("button", name="Remove billing").click()
    page.get_by_text("Nothing is revoked").wait_for()
    picture(page, "accounts-remove")
    page.get_by_role("dialog").get_by_role("button", name="Remove account").click()
    page.get_by_text("Removed billing. Nothing was revoked.").wait_for()
    assert server.call("GET", "/v1/accounts/billing").status == 404


def tab_to(page: Any, id: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {id}")


def test_an_account_is_added_and_removed_by_keyboard_alone(page: Any, server: AccountServer) -> None:
    page.wait_for_function("document.activeElement.id === 'token'")
    page.keyboard.type(ADMIN)
    page.keyboard.press("Enter")
    page.locator("#accounts").wait_for()
    tab_to(page, "add")
    page.keyboard.press("Enter")
    page.keyboard.type("by-keyboard")
    tab_to(page, "kubeconfig")
    page.keyboard.insert_text(KUBECONFIG)
    tab_to(page, "file")
    page.locator("#context option").first.wait_for(state="attached")
    tab_to(page, "context")
    page.keyboard.press("ArrowDown")
    tab_to(page, "permission-READ")
    page.keyboard.type("dev")
    page.keyboard.press("Enter")
    page.locator("#diff").wait_for()
    assert page.evaluate("document.activeElement.id") == "commit"
    page.keyboard.press("Enter")
    page.get_by_text("Committed by-keyboard as").wait_for()
    assert page.evaluate("document.activeElement.id") == "add"
    fields = server.call("GET", "/v1/accounts/by-keyboard").body["fields"]
    assert (fields["context"], fields["permissions"]) == ("prod", {"READ": ["dev"]})

    row = page.locator("#rows tr", has_text="by-keyboard")
    row.get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.ariaLabel") == "Remove by-keyboard"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Removed by-keyboard.").wait_for()


def test_a_commit_whose_answer_is_lost_is_repeated_and_made_once(page: Any, server: AccountServer) -> None:
    sign_in(page)
    page.get_by_role("button", name="Add account").click()
    page.locator("#name").fill("lost")
    page.locator("#kubeconfig").fill(KUBECONFIG)
    page.get_by_role("button", name="Review changes").click()
    page.locator("#commit").wait_for()

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/v1/accounts", lose, times=1)
    page.locator("#commit").click()
    page.get_by_text("The server does not answer.").wait_for()
    made = server.repository.git("rev-parse", "main")
    page.locator("#commit").click()
    page.get_by_text("Committed lost as").wait_for()
    assert server.repository.git("rev-parse", "main") == made
    server.call("DELETE", "/v1/accounts/lost")


def test_a_list_that_cannot_be_read_shows_the_reason(page: Any) -> None:
    problem = '{"title": "x", "status": 503, "detail": "The store is away.", "hint": "Try again."}'
    page.route("**/v1/accounts?*", lambda route: route.fulfill(
        status=503, body=problem, content_type="application/problem+json"))  # fmt: skip
    sign_in(page)
    page.get_by_text("The store is away.").wait_for()
    assert page.get_by_text("No accounts yet.").count() == 0


def test_the_page_works_over_plain_http_with_any_host_name(browser: Any, server: AccountServer) -> None:
    """Browsers offer less to a page that came without TLS from another machine, such as no crypto.randomUUID."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url.replace("127.0.0.1", "accounts.test"))
    assert page.evaluate("isSecureContext") is False
    sign_in(page)
    page.get_by_role("button", name="Add account").click()
    page.locator("#name").fill("plain")
    page.locator("#kubeconfig").fill(KUBECONFIG)
    page.get_by_role("button", name="Review changes").click()
    page.locator("#commit").click()
    page.get_by_text("Committed plain as").wait_for()
    context.close()
    server.call("DELETE", "/v1/accounts/plain")


def test_no_script_of_the_page_can_write_html(page: Any) -> None:
    refused = page.evaluate("(() => { try { document.body.innerHTML = '<b>x</b>'; } catch (e) { return e.name; } })()")
    assert refused == "TypeError"


def test_the_remote_switch_asks_the_controller_only_on_commit(page: Any, server: AccountServer) -> None:
    sign_in(page)
    page.get_by_role("button", name="Add account").click()
    page.locator("#name").fill("asked")
    page.get_by_role("switch").check()
    assert page.locator("#kubeconfig-part").is_hidden()
    page.locator("#agent").fill("eu-west")
    before = len(server.remote.asked)
    page.get_by_role("button", name="Review changes").click()
    page.get_by_text("The controller was not asked: this is a dry run.").wait_for()
    assert [call for call, _ in server.remote.asked[before:] if call != "getAgentStatistics"] == []
    page.get_by_role("button", name="Commit").click()
    page.get_by_text("Committed asked as").wait_for()
    assert ("generateKubectlComponents", {"agentName": "eu-west", "name": "kubernetes"}) in server.remote.asked
    server.call("DELETE", "/v1/accounts/asked")


def test_faults_of_a_change_are_shown_in_words(page: Any) -> None:
    sign_in(page)
    page.get_by_role("button", name="Add account").click()
    page.locator("#name").fill("x")
    page.locator("#kubeconfig").fill("a: [")
    page.keyboard.press("Tab")
    page.get_by_text("The kubeconfig cannot be used: line 1").wait_for()
    page.locator("#kubeconfig").fill("")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Review changes").click()
    page.get_by_text("it has no kubeconfig, no agent and no service account").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#editor").is_hidden()


def test_an_uploaded_kubeconfig_in_utf_16_is_read(page: Any, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_bytes(KUBECONFIG.encode("utf-16"))
    sign_in(page)
    page.get_by_role("button", name="Add account").click()
    page.locator("#file").set_input_files(str(tmp_path / "kubeconfig"))
    page.locator("#context option").first.wait_for(state="attached")
    assert page.locator("#kubeconfig").input_value().startswith("clusters:")


def test_a_manifest_is_downloaded(page: Any, tmp_path: Path) -> None:
    sign_in(page)
    page.locator("#count").get_by_text(re.compile("[0-9]")).wait_for()
    page.get_by_role("button", name="Agents").click()
    page.get_by_text("kubernetes (kubernetes), jenkins (kubernetes)").wait_for()
    picture(page, "accounts-agents")
    page.locator("#manifest-agent").fill("shop-cluster")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download manifest").click()
    downloading.value.save_as(tmp_path / "agent.yaml")
    assert (tmp_path / "agent.yaml").read_text().startswith("apiVersion: v1\nkind: Namespace\n")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download services").click()
    downloading.value.save_as(tmp_path / "services.yaml")
    assert "name: opsmx-services-shop-cluster" in (tmp_path / "services.yaml").read_text()


def test_a_reader_only_reads(page: Any) -> None:
    sign_in(page, READER)
    assert page.get_by_role("button", name="Add account").is_hidden()
    assert page.locator("#rows button").count() == 0


def test_texts_of_accounts_cannot_become_html(page: Any, server: AccountServer) -> None:
    fields = {"serviceAccount": True, "environment": "<img src=x onerror=alert(1)>"}
    server.call("POST", "/v1/accounts", {"name": "html", "fields": fields})
    sign_in(page)
    page.get_by_text("<img src=x onerror=alert(1)>").wait_for()
    assert page.locator("#rows img").count() == 0
