"""Judging rules: alerts fire and clear, incidents open."""

from __future__ import annotations

from datetime import date

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.events import emit
from deployments.models import Endpoint
from measures.hysteresis import Change, Hysteresis
from monitoring.incidents.models import Alert, AlertRule, Incident, Metric, TimelineEntry
from monitoring.incidents.observations import Observation, observations
from monitoring.incidents.seen import difference_words
from monitoring.incidents.services.opening import add_entry, open_incident
from monitoring.models import Watch
from registry.models import ModelVersion

Kind = TimelineEntry.Kind


@command
def evaluate_rules(*, actor: Actor, watch: Watch) -> list[Alert]:
    """Judge every rule of the endpoint on the live version's windows; answer the new alerts.

    The windows are replayed from the first, so judging twice raises nothing twice.
    """
    endpoint = Endpoint.objects.select_related("model", "environment", "live__version").get(
        pk=watch.endpoint_id
    )
    watch.refresh_from_db(fields=["watermark"])
    raised = []
    for rule in AlertRule.objects.in_force().filter(endpoint=endpoint).select_for_update(of=("self",)):
        rule.endpoint = endpoint
        _clear_of_former_versions(actor, rule, endpoint)
        if endpoint.live is not None and (alert := _judge(actor, rule, watch, endpoint.live.version)):
            raised.append(alert)
    return raised


def _judge(actor: Actor, rule: AlertRule, watch: Watch, version: ModelVersion) -> Alert | None:
    seen = observations(rule, watch, version.pk)
    hysteresis = Hysteresis(rule.fire_after, rule.clear_after)
    state, changes = hysteresis.replay(each.verdict(rule) for each in seen)
    firing = Alert.objects.firing().filter(rule=rule, version=version).select_related("incident").first()
    if not state.is_firing:
        if firing is not None:
            _clear(actor, firing, f"Fine again in {rule.clear_after} {rule.window}s in a row.")
        return None
    fired = max(index for index, change in enumerate(changes) if change == Change.FIRED)
    known = Alert.objects.filter(rule=rule, version=version, window_starts_on=seen[fired].starts_on)
    if firing is not None or known.exists():
        return None
    breaches = [each for each in seen[: fired + 1] if each.value is not None][-rule.fire_after :]
    return _fire(actor, rule, version, breaches)


def _fire(actor: Actor, rule: AlertRule, version: ModelVersion, breaches: list[Observation]) -> Alert:
    last = breaches[-1]
    alert = Alert.objects.create(
        rule=rule,
        version=version,
        against_id=last.against,
        finding=finding_of(rule, version, breaches)[:500],
        window_starts_on=last.starts_on,
        windows=[each.to_json() for each in breaches],
    )
    alert.refresh_from_db(fields=["fired_at"])
    record(
        actor=actor,
        action="monitoring.alert_fired",
        target=alert,
        after={"rule": rule.name, "windows": alert.windows},
    )
    emit("monitoring.alert_fired", alert, {"rule": str(rule.pk), "model": str(rule.endpoint.model_id)})
    if rule.opens_incident:
        _attach(actor, rule, version, alert)
    return alert


def _attach(actor: Actor, rule: AlertRule, version: ModelVersion, alert: Alert) -> None:
    incident = Incident.objects.open().filter(endpoint=rule.endpoint, version=version, cause="alert").first()
    if incident is None:
        incident = open_incident(
            actor=actor,
            model=rule.endpoint.model,
            title=alert.finding,
            severity=rule.severity,
            cause="alert",
            endpoint=rule.endpoint,
            version=version,
        )
    Alert.objects.filter(pk=alert.pk).update(incident=incident)
    alert.incident = incident
    windows = "; ".join(
        f"{day_words(date.fromisoformat(each['starts_on']))}: {each['words']}{difference_words(rule, each)}"
        for each in alert.windows
    )
    add_entry(
        actor, incident, Kind.ALERT, f"{rule.name}: {rule.sentence}. {windows}.", key=f"alert {alert.pk}"
    )


def _clear_of_former_versions(actor: Actor, rule: AlertRule, endpoint: Endpoint) -> None:
    live = endpoint.live.version_id if endpoint.live else None
    for alert in (
        Alert.objects.firing()
        .filter(rule=rule)
        .exclude(version=live)
        .select_related("version__model", "incident")
    ):
        _clear(actor, alert, f"v{alert.version.number} is no longer live.")


def _clear(actor: Actor, alert: Alert, because: str) -> None:
    Alert.objects.filter(pk=alert.pk).update(cleared_at=Now(), cleared_because=because)
    record(actor=actor, action="monitoring.alert_cleared", target=alert, after={"because": because})
    if alert.incident is not None and alert.incident.is_open:
        add_entry(
            actor, alert.incident, Kind.CLEARED, f"{alert.rule.name}: {because}", key=f"cleared {alert.pk}"
        )


def finding_of(rule: AlertRule, version: ModelVersion, breaches: list[Observation]) -> str:
    """What happened, as the title of an alert: the metric, how far, since when."""
    last = breaches[-1]
    since = f"since {day_words(breaches[0].starts_on)}"
    if rule.window == AlertRule.Window.WEEK:
        since = f"since the week of {day_words(breaches[0].starts_on)}"
    name = f"{version.model.name} v{version.number}"
    if rule.against == AlertRule.Against.SHADOW:
        side = "below" if rule.direction == "below" else "above"
        return f"{rule.get_metric_display()} of {name} is {side} v{last.against_number} on the same rows {since}: {last.words}"
    if rule.metric in {Metric.PSI, Metric.MISSING_SHARE}:
        return f"{last.words}, {rule.direction} the {rule.limit:g} line {since} ({name})"
    return f"{rule.get_metric_display()} of {name} is {rule.direction} {rule.limit:g} {since}: {last.words}"


def day_words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
