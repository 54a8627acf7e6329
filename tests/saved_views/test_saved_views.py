"""Views of list pages under a name: kept, opened, deleted, brought back; one's own alone."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from core.actors import Actor
from core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from workspace.saved_views import services
from workspace.saved_views.list_pages import LIST_PAGES
from workspace.saved_views.models import SavedView

pytestmark = pytest.mark.django_db
QUERIES = {
    "models": "q=delay&tier=high&show=mine&health=unhealthy&owner=ann&tag=team%3Aops&sort=changed",
    "approvals": "model=delay&status=pending",
    "deployments": "model=delay&environment=production&status=live",
    "incidents": "model=delay&show=resolved",
    "data": "q=flights&state=late&show=mine&sort=newest",
    "audit": "action=approvals.&actor=ann&outcome=denied&from=2013-04-26&to=2013-04-27",
    "jobs": "status=failed",
}


@pytest.fixture
def save(actor):
    def keep(by, name="Mine", page="models", query="tier=high&sort=name"):
        return services.save_view(actor=actor(by), page=page, name=name, query=query)

    return keep


def events(action):
    return Event.objects.filter(fields__action=f"workspace.view_{action}")


@pytest.mark.parametrize("page", LIST_PAGES)
def test_every_list_page_keeps_a_view_and_shows_it_as_a_link(page, client_for, admin):
    browser, query = client_for(admin), QUERIES[page]
    address = f"{LIST_PAGES[page].address}?{query}"
    before = browser.get(address)
    assert before.status_code == 200
    form = dict(re.findall(r'type="hidden" name="(page|query)" value="([^"]*)"', before.content.decode()))
    sent = {"page": form["page"], "query": form["query"].replace("&amp;", "&"), "name": "  Night   shift "}
    answer = browser.post("/views/", sent)
    assert (answer.status_code, answer["Location"]) == (302, address)
    after = browser.get(address).content.decode()
    assert "The view Night shift is saved. Only you see it." in after
    link = re.search(r'<a href="([^"]+)" aria-current="true">.*?Night shift', after)
    assert link[1].replace("&amp;", "&") == address
    assert "Save this view" not in after
    assert "Night shift" in browser.get(LIST_PAGES[page].address).content.decode()
    assert events("saved").get().content["after"] == {"page": page, "query": query}


def test_a_deleted_view_comes_back_from_the_message(client_for, scientist, save):
    view, browser = save(scientist), client_for(scientist)
    page = browser.post(f"/views/{view.pk}/delete/", follow=True).content.decode()
    assert "The view Mine is deleted." in page
    assert f"/views/{view.pk}/delete/" not in page
    undo = re.search(r'<form method="post" action="(/views/[^"]+/restore/)">', page)[1]
    page = browser.post(undo, follow=True).content.decode()
    assert "The view Mine is back." in page
    assert f"/views/{view.pk}/delete/" in page
    assert [events(each).count() for each in ("saved", "deleted", "restored")] == [1, 1, 1]


def test_a_name_is_taken_once_and_stands_in_the_way_of_undoing(client_for, scientist, save, actor):
    first = save(scientist)
    with pytest.raises(Conflict, match="already"):
        save(scientist)
    save(scientist, page="jobs", query="status=failed")
    services.delete_view(actor=actor(scientist), view=first)
    save(scientist, query="tier=low")
    answer = client_for(scientist).post(f"/views/{first.pk}/restore/", follow=True)
    assert "You have a view named Mine here already" in answer.content.decode()
    assert SavedView.objects.get(pk=first.pk).deleted_at is not None
    again = client_for(scientist).post(
        "/views/", {"page": "models", "name": "Mine", "query": "q=x"}, follow=True
    )
    assert "The view is not saved. You have a view named Mine" in again.content.decode()
    assert again.redirect_chain == [("/models/?q=x", 302)]


def test_nobody_sees_touches_or_collides_with_the_views_of_others(
    client_for, scientist, admin, stranger, save, actor
):
    view = save(scientist, name="Secret plans")
    for other in (admin, stranger):
        browser = client_for(other)
        assert "Secret plans" not in browser.get("/models/").content.decode()
        assert "Secret plans" not in browser.get("/search/?q=secret").content.decode()
        for change in ("delete", "restore"):
            assert browser.post(f"/views/{view.pk}/{change}/").status_code == 404
        with pytest.raises(NotFound):
            services.delete_view(actor=actor(other), view=view)
        save(other, name="Secret plans")
    view.refresh_from_db()
    assert view.deleted_at is None
    assert events("deleted").count() == 0
    assert events("restored").count() == 0


def test_a_list_that_one_may_not_open_is_no_list(client_for, scientist, auditor, save):
    with pytest.raises(NotFound):
        save(scientist, page="audit", query="outcome=denied")
    sent = {"page": "audit", "name": "Denied", "query": "outcome=denied"}
    assert client_for(scientist).post("/views/", sent).status_code == 404
    assert client_for(auditor).post("/views/", sent).status_code == 302
    assert client_for(auditor).post("/views/", {**sent, "page": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    ("page", "query", "says"),
    [
        ("models", "tier=extreme", "tier must be one of: high, medium, low"),
        ("models", "sort=age", "sort must be one of: newest, name, changed"),
        ("models", "colour=red", "colour is no filter of Models; they are q, kind, tier"),
        ("models", "", "Choose a filter"),
        ("models", "before=01a2&q=", "Choose a filter"),
        ("models", f"q={'x' * 300}", "q: "),
        ("models", f"q={'x' * 3000}", "at most 2000"),
        ("models", "q=%00", "q: "),
        ("models", "q=\x00", r"U\+0000"),
        ("models", "q=%ff", "no query string"),
        ("models", "&".join(f"q{index}=1" for index in range(50)), "no query string"),
        ("approvals", "status=maybe", "status must be one of"),
        ("deployments", "environment=moon", "environment must be one of"),
        ("incidents", "show=none", "show must be one of"),
        ("data", "state=odd", "state must be one of"),
        ("data", "sort=changed", "sort must be one of: name, newest"),
        ("audit", "outcome=maybe", "outcome must be one of"),
        ("audit", "from=yesterday", "from"),
        ("jobs", "status=lost", "status must be one of"),
    ],
)
def test_a_query_that_the_page_would_refuse_is_refused_by_name(page, query, says, save, admin, client_for):
    with pytest.raises(Invalid, match=says):
        save(admin, page=page, query=query)
    answer = client_for(admin).post("/views/", {"page": page, "name": "Mine", "query": query})
    assert answer.status_code in {302, 400}
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb", "a\x00b", "a\u202eb"])
def test_a_bad_name_is_told_and_the_list_stays_as_it_was(name, client_for, scientist):
    answer = client_for(scientist).post(
        "/views/", {"page": "models", "name": name, "query": "tier=high"}, follow=True
    )
    assert answer.redirect_chain == [("/models/?tier=high", 302)]
    assert "The view is not saved. name" in answer.content.decode()
    assert not SavedView.objects.exists()


def test_where_one_was_in_the_list_and_the_order_of_words_are_no_part_of_a_view(save, scientist):
    view = save(scientist, query="sort=name&before=zeta&q=a%26b&tier=high&q=a%20c")
    assert view.query == "q=a+c&tier=high&sort=name"


def test_only_people_with_a_browser_have_views(save, scientist, token_client, actor):
    with pytest.raises(NotAllowed):
        services.save_view(actor=Actor.system(), page="models", name="x", query="q=x")
    assert (
        token_client(scientist).post("/views/", {"page": "models", "name": "x", "query": "q=x"}).status_code
        >= 300
    )
    assert not SavedView.objects.exists()


def test_a_page_holds_twenty_views_and_old_deletions_go(save, scientist, actor):
    old = services.delete_view(actor=actor(scientist), view=save(scientist, name="old"))
    SavedView.objects.filter(pk=old.pk).update(deleted_at=Now() - timedelta(days=31))
    views = [save(scientist, name=f"view {index}") for index in range(services.MOST_PER_PAGE)]
    with pytest.raises(Conflict, match="20 views"):
        save(scientist, name="one more")
    services.delete_view(actor=actor(scientist), view=views[0])
    assert not SavedView.objects.filter(pk=old.pk).exists()
    save(scientist, name="one more")
    with pytest.raises(DomainError):
        services.restore_view(actor=actor(scientist), view=views[0])


def test_twelve_views_cost_what_one_does(save, scientist, client_for):
    browser = client_for(scientist)

    def cost():
        browser.get("/models/")
        with CaptureQueriesContext(connection) as queries:
            page = browser.get("/models/").content.decode()
        return len(queries), page.count("/delete/")

    save(scientist, name="0")
    queries, _ = cost()
    for index in range(1, 12):
        save(scientist, name=str(index))
    assert cost() == (queries, 12)
