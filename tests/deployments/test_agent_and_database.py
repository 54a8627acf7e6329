"""The database may restart while an agent waits for it: its scorers run on."""

import threading

import pytest
from django.db import connection, connections

from deployments.agent import Agent
from tests.database import superuser
from tests.waiting import wait_for

LISTENING = """
SELECT pid FROM pg_stat_activity
WHERE datname = %s AND pid <> %s AND wait_event = 'ClientRead' AND backend_type = 'client backend'
"""


@pytest.mark.django_db(transaction=True)
def test_the_agent_goes_on_when_its_connection_is_cut(test_database):
    agent = Agent()

    def work():
        try:
            agent.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    connection.ensure_connection()
    mine = connection.connection.info.backend_pid
    with superuser("postgres") as server:

        def waiting() -> set[int]:
            return {pid for (pid,) in server.execute(LISTENING, [test_database.name, mine])}

        others = waiting()  # such as web's, of tests that ran before
        thread.start()
        try:
            wait_for(lambda: waiting() - others, 60)
            former = waiting() - others
            for pid in former:
                server.execute("SELECT pg_terminate_backend(%s)", [pid])
            wait_for(lambda: not thread.is_alive() or waiting() - former - others, 20)
            assert thread.is_alive()
        finally:
            agent.is_stopping = True
            thread.join(20)
