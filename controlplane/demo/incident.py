"""The incident: taken, rolled back from, looked into, learnt from."""

from __future__ import annotations

import re

from controlplane.demo.cast import MODEL, Cast
from controlplane.demo.cause import Findings
from controlplane.demo.doors import DoorError

REASON = (
    "Its realised ROC AUC is below that of the version it replaced, on the same flights, two weeks in a row."
)


def open_one(cast: Cast) -> str:
    """The incident that the alert opened; answers its id."""
    for each in cast.operator.items("incidents", model=MODEL, status="open"):
        cast.display.note(f"incident: {each['title']}")
        return str(each["id"])
    raise DoorError("No incident is open.")


def roll_back(cast: Cast, incident: str) -> None:
    """The operator takes the incident and goes back to the warm version, signed, on its page."""
    address = f"/incidents/{incident}/"
    browser = cast.browser("operator")
    with cast.display.step("The operator takes the incident") as step:
        browser.submit(f"{address}acknowledge/")
        suspects = re.findall(r'<p class="w">(.*?)</p>', browser.page(address))
        step.say(f"suspects: {', '.join(suspects)}")
    with cast.display.step("One step back to the version that is warm, signed") as step:
        target = re.search(r'name="target" value="([0-9a-f-]{36})"', browser.page(address))
        if not target:
            raise DoorError("The incident's page offers no rollback.")
        browser.submit(
            f"{address}roll-back/",
            target=target.group(1),
            reason=REASON,
            password=cast.passwords["operator"],
        )
        live = cast.operator.wait(f"monitoring/models/{MODEL}", lambda each: each["version"] == 1, timeout=60)
        step.say(f"v{live['version']} answers again")


def close(cast: Cast, incident: str, found: Findings, weeks: list[float]) -> None:
    """The post-mortem, from the figures found, and the end of the incident.

    ``weeks`` is by how much v2 was better than v1 (ROC AUC) in each week it served.
    """
    with cast.display.step("The operator writes the post-mortem and resolves the incident") as step:
        kept = cast.operator.post(f"incidents/{incident}/post-mortem", post_mortem(found, weeks), 201)
        cast.operator.post(
            f"incidents/{incident}/resolve",
            {"resolution": "v1 answers again. A version that has seen more seasons is to replace it."},
            200,
        )
        step.say(f"revision {kept['revision']}")


def post_mortem(found: Findings, weeks: list[float]) -> dict[str, str]:
    """What was learnt; the figures are those found, and a suspect that they clear is not blamed."""
    (served, shadow), (wet, wet_shadow), (dry, dry_shadow) = found.whole, found.wet, found.dry
    familiar, familiar_shadow = found.familiar
    worst = f"{found.worst.day} {found.worst:%B}"
    return {
        "summary": (
            f"v2 ranked the {found.rows:,} flights of 1 to 30 April, days in UTC, worse than v1, which it had "
            "replaced: "
            f"ROC AUC {served:.3f} against {shadow:.3f} on the same flights. Its hold-out had promised more."
        ),
        "impact": (
            f"In {sum(week < 0 for week in weeks)} of {len(weeks)} weeks delays were ranked worse than v1 "
            "would have ranked them. No request failed; "
            "v1 had stayed warm as the shadow, and took over in one step."
        ),
        "cause": (
            f"Not the temperature, although it drifted: at temperatures that v2 had learnt from "
            f"({found.familiar_rows:,} flights) it scores {familiar:.3f} against {familiar_shadow:.3f}. "
            f"On flights in rain, fog or snow it scores {wet:.3f} against {wet_shadow:.3f}; "
            f"the loss is on dry days, {dry:.3f} against {dry_shadow:.3f}. The worst day was {worst}: "
            f"{found.worst_late:.0%} late, {found.worst_predicted:.0%} predicted. From 22 to 26 April "
            "air-traffic controllers were on furlough: known from the news, in no feature. What was wrong was the "
            "promise: a random hold-out of dependent days, from one winter, flattered v2."
        ),
        "what_we_changed": "Rolled back to v1. The next version is judged on days after those it learnt from.",
        "follow_ups": (
            "Train on more seasons. Ask for a time-ordered hold-out before a version may go live. "
            "Look for a feed of air-traffic restrictions."
        ),
    }
