import pytest, collections
from django.db import connection
from django.test.utils import CaptureQueriesContext
pytestmark = pytest.mark.django_db
def test_q(make_model, make_version, production, bring_live, operator, client_for):
    for n in range(4):
        bring_live(make_version(make_model(f"model {n}")), production)
    c = client_for(operator); c.get("/deployments/")
    with CaptureQueriesContext(connection) as q:
        c.get("/deployments/")
    seen = collections.Counter(x["sql"].split("WHERE")[0][:230] for x in q)
    for sql, n in seen.items():
        if n > 1: print("\nREPEATED", n, sql)
