"""manage.py status: what runs; exit code 3 when nothing does."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from controlplane.stack.places import data_dir
from controlplane.stack.stack import Stack

DOWN = 3


class Command(BaseCommand):
    help = "Show the processes of the stack and their addresses."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        stack = Stack(data_dir())
        running = stack.is_running()
        facts = stack.facts() if running else {}
        stack.take_ports()
        answer = {
            "running": running,
            "ready": running and stack.is_ready(),
            "data_dir": str(stack.data_dir),
            "url": facts.get("environment", {}).get("PUBLIC_URL"),
            "gateway_url": facts.get("environment", {}).get("GATEWAY_URL"),
            "supervisor_pid": facts.get("supervisor_pid"),
            "database_user_mode": facts.get("database_user_mode"),
            "processes": stack.supervisor.processes() if running else [],
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer, indent=1))
        elif running:
            self.stdout.write(f"{answer['url']}  gateway {answer['gateway_url']}")
            for each in answer["processes"]:
                self.stdout.write(
                    f"  {each['name']:<20} {each['state']:<10} pid {each['pid']:<8} {each['uptime_seconds']} s"
                )
        else:
            self.stdout.write("The stack is not running: make up")
        if not running:
            sys.exit(DOWN)
