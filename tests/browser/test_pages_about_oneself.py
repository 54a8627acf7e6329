"""Signing in, tokens, and the frame, as a person meets them."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_sign_in_page_is_sound(visit):
    visitor = visit()
    visitor.open("/login/")
    visitor.check_looks()


def test_a_person_creates_a_token_and_sees_it_once(visit, scientist):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/settings/tokens/")
    page.fill("#id_name", "notebook")
    page.check("text=Every right you have")
    page.click("text=Create token")
    assert page.locator(".secret").inner_text().startswith("cp_")
    visitor.check()
    visitor.open("/settings/tokens/")
    assert page.locator(".secret").count() == 0
    assert page.locator("tbody tr").count() == 1


def test_the_palette_opens_by_keyboard_and_leads_to_a_page(visit, admin):
    visitor = visit().sign_in("admin")
    page = visitor.open("/settings/profile/")
    page.keyboard.press("Control+k")
    page.fill("#palq", "system")
    page.wait_for_selector("#pallist [role=option] >> text=System")
    visitor.check()
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/system/")


def test_the_theme_is_kept(visit, admin):
    visitor = visit().sign_in("admin")
    page = visitor.open("/settings/profile/")
    page.click("[data-theme-toggle]")
    visitor.open("/settings/profile/")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    visitor.check()
