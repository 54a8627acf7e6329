"""Who may have events sent where: MLflow's calls, REST and the pages agree."""

import json
import re

import pytest
from django.db import connection

from audit.models import Event
from core.errors import Invalid, Unavailable
from core.sealing import reseal, seal, unseal
from workspace.webhooks.addresses import checked_url
from workspace.webhooks.catalogue import MLFLOW_EVENTS, OUR_EVENTS
from workspace.webhooks.models import Delivery, Webhook

pytestmark = pytest.mark.django_db
REST = "/api/v1/webhooks"
CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}

REFUSED = [
    "", "hook", "//host/x", "ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "http://example.org/", "https://", "https:///x", "https://user:pw@example.org/",
    "https://example.org/#x", "https://exa mple.org/", "https://example.org\\@127.0.0.1/", "https://example.org:99999/", "https://[::1/",
    "https://localhost/", "https://LOCALHOST./", "https://x.localhost/", "https://db.internal/", "https://printer.local/", "https://intranet/",
    "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://10.1.2.3/", "https://172.16.0.1/", "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://0.0.0.0/", "https://224.0.0.1/", "https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fec0::1]/", "https://[::127.0.0.1]/", "https://[::ffff:0:127.0.0.1]/", "https://[100:0:0:1::1]/", "https://[64:ff9b::7f00:1]/", "https://[5f00::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/", "https://[2002:7f00:1::]/",
    "https://a..example.org/", "https://-a.example.org/", "https://a-.example.org/", "https://exa$mple.org/", "https://1.2.3.4.5/", "https://hooks.example.org:0/",
    "https://hooks.invalid/", "https://hooks.example/", "https://hooks.test/", "https://hooks.onion/", f"https://{'a' * 64}.org/", f"https://{'a.' * 130}org/",
]  # fmt: skip


def test_addresses_that_are_private_or_none_are_refused_at_once(subtests):
    for url in REFUSED:
        with subtests.test(url=url):
            with pytest.raises(Invalid) as refused:
                checked_url(url)
            assert refused.value.field == "url"
    for url in (
        "https://hooks.example.org/a?token=b",
        "https://xn--bcher-kva.example.org/",
        "https://bücher.example.org/",
        "https://under_score.example.org/",
        "https://93.184.216.34/",
        "https://[2606:4700::1111]:8443/x",
    ):
        assert checked_url(url) == url


def test_mlflows_calls_create_list_change_test_and_delete(surface, admin, receiver):
    mlflow = surface(admin)
    asked = {"name": "ci", "url": receiver.url, "events": [CREATED], "secret": "only the receiver knows"}
    status, body = mlflow.post("webhooks", **asked, description="builds")
    assert status == 200, body
    made = body["webhook"]
    assert (made["name"], made["status"], made["events"], made["description"]) == (
        "ci",
        "ACTIVE",
        [CREATED],
        "builds",
    )
    assert "only the receiver knows" not in json.dumps(body)
    one = f"webhooks/{made['webhook_id']}"
    assert mlflow.get(one) == (200, {"webhook": made})
    assert mlflow.get("webhooks") == (200, {"webhooks": [made]})
    status, body = mlflow.post(f"{one}/test")
    assert (status, body["result"]) == (
        200,
        {"success": True, "response_status": 200, "response_body": "thanks"},
    )
    receiver.answers = [(503, {}, "later")]
    event = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
    result = mlflow.post(f"{one}/test", event=event)[1]["result"]
    assert (result["success"], result["response_status"], result["response_body"]) == (False, 503, "later")
    assert json.loads(receiver.got[1][2])["entity"] == "model_version_alias"
    status, body = mlflow.patch(one, status="DISABLED", events=[event], name="")
    assert (body["webhook"]["status"], body["webhook"]["events"], body["webhook"]["name"]) == (
        "DISABLED",
        [event],
        "ci",
    )
    assert mlflow.delete(one) == (200, {})
    assert mlflow.get(one)[0] == 404
    assert mlflow.get("webhooks") == (200, {"webhooks": []})
    assert Webhook.objects.get().sealed_secret == ""


def test_pages_of_mlflows_list_follow_each_other(surface, admin, make_webhook):
    for name in "abc":
        make_webhook("registered_model.created", name=name)
    make_webhook("deployments.went_live", name="ours")
    mlflow = surface(admin)
    walked, token = [], ""
    while True:
        status, body = mlflow.get("webhooks", max_results=2, page_token=token)
        assert status == 200
        walked += [each["name"] for each in body["webhooks"]]
        token = body.get("next_page_token", "")
        if not token:
            break
    assert walked == ["c", "b", "a"]
    assert mlflow.get("webhooks", page_token="forged")[0] == 400


BAD = [
    {"name": ""}, {"name": "a b"}, {"name": "-a"}, {"name": "a" * 64}, {"name": 7}, {"url": 7}, {"url": "http://10.0.0.1/"}, {"events": []}, {"events": "x"}, {"events": [{}]},
    {"events": [{"entity": "REGISTERED_MODEL", "action": "DELETED"}]}, {"events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]}, {"events": [7]}, {"status": "ASLEEP"}, {"secret": 7}, {"secret": "x" * 501}, {"secret": "\u0000"}, {"description": "x" * 1001},
]  # fmt: skip


def test_what_makes_no_webhook_is_400_and_changes_nothing(surface, admin, receiver, subtests):
    mlflow = surface(admin)
    for wrong in BAD:
        with subtests.test(wrong=str(wrong)[:80]):
            asked = {"name": "ci", "url": receiver.url, "events": [CREATED], **wrong}
            status, body = mlflow.post("webhooks", **asked)
            assert (status, body["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), body
    for missing in ("name", "url", "events"):
        asked = {"name": "ci", "url": receiver.url, "events": [CREATED]}
        del asked[missing]
        assert mlflow.post("webhooks", **asked)[0] == 400
    for key in ("nope", "1", "%00", "0" * 36):
        assert mlflow.get(f"webhooks/{key}")[0] in {400, 404}
    assert not Webhook.objects.exists()


def test_only_who_administers_may_have_events_sent(
    surface, token_client, client_for, scientist, stranger, make_webhook, receiver
):
    webhook, _ = make_webhook("registered_model.created")
    delivery = Delivery.objects.create(webhook=webhook, event="registered_model.created", body="{}")
    for account in (scientist, stranger):
        mlflow, rest, browser = surface(account), token_client(account), client_for(account)
        status, body = mlflow.post("webhooks", name="x", url=receiver.url, events=[CREATED])
        assert (status, body["error_code"]) == (403, "PERMISSION_DENIED")
        assert mlflow.get("webhooks") == (200, {"webhooks": []})
        assert mlflow.get(f"webhooks/{webhook.pk}")[0] == 404
        assert mlflow.patch(f"webhooks/{webhook.pk}", name="x")[0] == 404
        assert mlflow.delete(f"webhooks/{webhook.pk}")[0] == 404
        assert mlflow.post(f"webhooks/{webhook.pk}/test")[0] == 404
        assert rest.get(REST).json()["items"] == []
        assert rest.get(f"{REST}/deliveries").json()["items"] == []
        for address in (
            f"{REST}/{webhook.pk}",
            f"{REST}/{webhook.pk}/deliveries",
            f"{REST}/deliveries/{delivery.pk}",
        ):
            assert rest.get(address).status_code == 404
        assert rest.post(f"{REST}/deliveries/{delivery.pk}/replay").status_code == 404
        assert rest.post(f"{REST}/{webhook.pk}/rotate-secret").status_code == 404
        for page in ("", f"{webhook.pk}/", f"deliveries/{delivery.pk}/"):
            assert browser.get(f"/admin/webhooks/{page}").status_code == 404
        for verb in ("test", "delete", "disable", "secret"):
            assert browser.post(f"/admin/webhooks/{webhook.pk}/{verb}/").status_code == 404
        assert browser.post(f"/admin/webhooks/deliveries/{delivery.pk}/replay/").status_code == 404
    assert receiver.got == []


def test_who_administers_one_model_has_webhooks_of_that_model_alone(
    token_client, scientist, make_model, make_webhook, receiver
):
    make_webhook("registered_model.created", name="of-all")
    make_model("delays")
    rest = token_client(scientist)
    asked = {"name": "mine", "url": receiver.url, "events": ["registry.version_ready"]}
    assert rest.post(REST, asked, content_type="application/json").status_code == 403
    made = rest.post(REST, {**asked, "model": "delays"}, content_type="application/json")
    assert (made.status_code, made.json()["model"]) == (201, "delays")
    assert [each["name"] for each in rest.get(REST).json()["items"]] == ["mine"]
    assert rest.post(REST, {**asked, "model": "nope"}, content_type="application/json").status_code == 404


def test_who_administers_one_model_manages_its_webhooks_on_pages(
    client_for, scientist, stranger, make_account, admin, make_model, make_webhook, receiver
):
    of_all, _ = make_webhook("registered_model.created", name="of-all")
    mine, theirs = make_model("delays"), make_model("theirs", by=make_account("other", "data-scientist"))
    foreign, _ = make_webhook("registry.version_ready", name="of-theirs", model=theirs)
    browser, address = client_for(scientist), "/admin/webhooks/"
    assert b"Webhooks of this model" in browser.get("/models/delays/").content
    asked = {"name": "mine", "url": receiver.url, "events": ["registry.version_ready"]}
    for model, said in (
        ("", "This field is required"),
        ("theirs", "no registered model named"),
        ("x", "no reg"),
    ):
        refused = browser.post(address, {**asked, "model": model})
        assert refused.status_code == 422 and said in refused.content.decode(), model
    assert Webhook.objects.count() == 2
    made = browser.post(f"{address}?model=delays", {**asked, "model": "delays"})
    assert made.status_code == 200 and b"whsec_" in made.content
    webhook = Webhook.objects.get(name="mine")
    assert webhook.model == mine
    listed = browser.get(address).content.decode()
    assert "mine" in listed and "of-all" not in listed and "of-theirs" not in listed
    assert browser.post(f"{address}{webhook.pk}/test/").status_code == 302
    [delivery] = webhook.deliveries.all()
    assert browser.get(f"{address}{webhook.pk}/").status_code == 200
    assert browser.get(f"{address}deliveries/{delivery.pk}/").status_code == 200
    for other in (of_all, foreign):
        assert browser.get(f"{address}{other.pk}/").status_code == 404
        assert browser.post(f"{address}{other.pk}/delete/").status_code == 404
    assert client_for(stranger).get(address).status_code == 404
    assert client_for(admin).get(f"{address}?model=delays").content.count(b"of-all") == 0
    assert f"{address}{webhook.pk}/" in browser.get("/models/delays/").content.decode()
    assert browser.post(f"{address}{webhook.pk}/delete/").status_code == 302
    assert not Webhook.objects.existing().filter(name="mine").exists()


def test_the_panel_of_a_model_is_for_who_administers_it(client_for, reviewer, make_model, make_webhook):
    make_webhook("registry.version_ready", name="secret-board", model=make_model("delays"))
    page = client_for(reviewer).get("/models/delays/").content
    assert b"secret-board" not in page and b"Webhooks of this model" not in page


def test_rest_needs_the_revision_and_says_what_was_sent(token_client, admin, receiver, make_model, run_jobs):
    rest = token_client(admin)
    asked = {
        "name": "ci",
        "url": receiver.url,
        "events": ["registered_model.created", "deployments.went_live"],
    }
    made = rest.post(REST, asked, content_type="application/json")
    assert made.status_code == 201, made.content
    one, etag = made["Location"], made["ETag"]
    assert made.json()["secret"].startswith("whsec_")
    assert "secret" not in rest.get(one).json()
    change = {"description": "builds"}
    assert rest.patch(one, change, content_type="application/json").status_code == 428
    changed = rest.patch(one, change, content_type="application/json", headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["description"]) == (200, "builds")
    assert (
        rest.patch(one, change, content_type="application/json", headers={"If-Match": etag}).status_code
        == 412
    )
    make_model("delays")
    run_jobs()
    [item] = rest.get(f"{one}/deliveries").json()["items"]
    assert (item["event"], item["status"], item["response_status"]) == (
        "registered_model.created",
        "delivered",
        200,
    )
    assert json.loads(item["body"])["data"]["name"] == "delays"
    assert rest.get(f"{REST}/deliveries?status=dead").json()["items"] == []
    assert rest.get(f"{REST}/deliveries?status=lost").status_code == 400
    again = rest.post(f"{REST}/deliveries/{item['id']}/replay")
    assert again.status_code == 202
    run_jobs()
    assert len(receiver.got) == 2
    assert rest.post(f"{one}/test", {}, content_type="application/json").json()["status"] == "delivered"
    gone = rest.delete(one, headers={"If-Match": changed["ETag"]})
    assert gone.status_code == 204, gone.content
    actions = [json.loads(body)["action"] for body in Event.objects.values_list("body", flat=True)]
    assert {
        "workspace.webhook_created",
        "workspace.webhook_updated",
        "workspace.webhook_replayed",
        "workspace.webhook_tested",
    } <= set(actions)


def test_secrets_lie_sealed_and_are_said_once(token_client, admin, receiver):
    rest = token_client(admin)
    asked = {
        "name": "ci",
        "url": f"{receiver.url}?token=canary-in-url",
        "events": ["registered_model.created"],
    }
    key = {"Idempotency-Key": "one"}
    made = rest.post(REST, asked, content_type="application/json", headers=key)
    secret = made.json()["secret"]
    again = rest.post(REST, asked, content_type="application/json", headers=key)
    assert (again.json()["id"], again.json()["secret"]) == (made.json()["id"], None)
    with connection.cursor() as cursor:
        for table in ("workspace_webhooks_webhook", "core_idempotentanswer", "core_job", "audit.event"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            rows = cursor.fetchone()[0] or ""
            assert secret not in rows, table
            assert secret.encode().hex() not in rows, table
            if table == "audit.event":
                assert "canary-in-url" not in rows
    assert unseal(Webhook.objects.get().sealed_secret) == secret


def test_sealed_secrets_open_with_their_key_alone_and_move_to_a_new_one(settings):
    sealed = seal("secret")
    former, settings.ENVELOPE_KEY = settings.ENVELOPE_KEY, "new key"
    with pytest.raises(Unavailable, match="ENVELOPE_KEYS_FORMER"):
        unseal(sealed)
    settings.ENVELOPE_KEYS_FORMER = [former]
    assert unseal(sealed) == "secret"
    moved = reseal(sealed)
    settings.ENVELOPE_KEYS_FORMER = []
    assert unseal(moved) == "secret"
    settings.ENVELOPE_KEY = ""
    with pytest.raises(Unavailable, match="ENVELOPE_KEY is not set"):
        seal("secret")


def test_a_new_envelope_key_takes_over_all_secrets_or_none(make_webhook, settings, capsys):
    from django.core.management import call_command

    _, secret = make_webhook("registered_model.created")
    former, settings.ENVELOPE_KEY = settings.ENVELOPE_KEY, "new key"
    with pytest.raises(SystemExit):
        call_command("reseal_secrets")
    settings.ENVELOPE_KEYS_FORMER = [former]
    call_command("reseal_secrets")
    assert capsys.readouterr().out.startswith("1 webhooks are sealed")
    settings.ENVELOPE_KEYS_FORMER = []
    assert unseal(Webhook.objects.get().sealed_secret) == secret


def test_the_form_groups_the_events_and_the_pages_say_how_deliveries_stand(
    client_for, admin, receiver, make_webhook, make_model
):
    browser, root = client_for(admin), "/admin/webhooks/"
    empty = browser.get(root).content.decode()
    offered = re.findall(r'type="checkbox" name="events" value="([^"]+)"', empty)
    assert sorted(offered) == sorted([*OUR_EVENTS, *MLFLOW_EVENTS])
    assert not re.findall(r'value="[^"]+" checked', empty)
    webhook, _ = make_webhook("registered_model.created")
    page = f"{root}{webhook.pk}/"
    assert "nothing sent yet" in browser.get(root).content.decode()
    chosen = re.findall(r'value="([^"]+)" checked', browser.get(page).content.decode())
    assert chosen == ["registered_model.created"]
    receiver.answers = [(503, {}, "later")]
    assert browser.post(f"{page}test/").status_code == 302
    failed = browser.get(root).content.decode()
    assert "503" in failed and "t-bad" in failed
    make_model("delays")
    assert browser.get(page).context["state"].waiting == 1
    assert browser.post(f"{page}test/").status_code == 302
    assert "answered 200" in browser.get(root).content.decode()


def test_the_pages_create_show_test_change_and_delete(client_for, admin, receiver, make_model, run_jobs):
    browser, root = client_for(admin), "/admin/webhooks/"
    assert b"No webhook yet" in browser.get(root).content
    refused = browser.post(
        root, {"name": "ci", "url": "https://10.0.0.1/", "events": ["registered_model.created"]}
    )
    assert (refused.status_code, b"private address" in refused.content) == (422, True)
    made = browser.post(
        root, {"name": "ci", "url": receiver.url, "events": ["registered_model.created"], "model": ""}
    )
    assert b"whsec_" in made.content
    webhook = Webhook.objects.get()
    page = f"{root}{webhook.pk}/"
    assert browser.post(f"{page}test/").status_code == 302
    make_model("<img src=x onerror=alert(1)>")
    run_jobs()
    assert browser.get(page).content.decode().count("Delivered") == 2
    delivery = Delivery.objects.filter(is_test=False).get()
    shown = browser.get(f"{root}deliveries/{delivery.pk}/").content.decode()
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img src=x" not in shown
    assert b"whsec_" in browser.post(f"{page}secret/").content
    assert b"whsec_" not in browser.get(page).content
    browser.post(f"{page}disable/")
    assert Webhook.objects.get().status == "DISABLED"
    browser.post(f"{page}enable/")
    browser.post(f"{root}deliveries/{delivery.pk}/replay/")
    run_jobs()
    assert len(receiver.got) == 3
    browser.post(f"{page}delete/")
    assert not Webhook.objects.existing().exists()
    assert browser.get(page).status_code == 404


def test_lists_ask_the_same_number_of_statements_for_1_and_12(client_for, token_client, admin, make_webhook):
    from django.test.utils import CaptureQueriesContext

    browser, rest = client_for(admin), token_client(admin)
    counts = []
    for count in (1, 11):
        for index in range(count):
            make_webhook("registered_model.created", name=f"n{count}-{index}")
        counts.append([])
        for ask in (lambda: browser.get("/admin/webhooks/"), lambda: rest.get(REST)):
            ask()
            with CaptureQueriesContext(connection) as queries:
                assert ask().status_code == 200
            counts[-1].append(len(queries))
    assert counts[0] == counts[1]
