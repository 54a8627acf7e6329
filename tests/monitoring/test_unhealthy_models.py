"""The list of models narrowed to those that do badly: the same that its column calls so."""

import pytest

from monitoring.incidents.models import Incident
from monitoring.models import Watch

pytestmark = pytest.mark.django_db
ADDRESS = "/models/?health=unhealthy"


@pytest.mark.parametrize("tone", ["ok", "none", "warn", "bad"])
def test_a_warning_or_worse_is_unhealthy(watched, make_model, operator, client_for, tone):
    make_model("unwatched")
    Watch.objects.update(summary={"tone": tone})
    page = client_for(operator).get(ADDRESS).content.decode()
    assert ('href="/models/delays/"' in page) == (tone in {"warn", "bad"})
    assert 'href="/models/unwatched/"' not in page


def test_an_open_incident_is_unhealthy_until_it_is_resolved(watched, operator, stranger, client_for):
    Watch.objects.update(summary={"tone": "ok"})
    model = watched.endpoint.model
    incident = Incident.objects.create(title="It fell", severity="critical", model=model)
    assert "Open incident" in client_for(operator).get(ADDRESS).content.decode()
    assert "delays" not in client_for(stranger).get(ADDRESS).content.decode()
    Incident.objects.filter(pk=incident.pk).update(status="resolved", resolution="Retrained.")
    assert "No model fits these filters" in client_for(operator).get(ADDRESS).content.decode()
