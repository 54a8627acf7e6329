"""The true story, played through the public doors: REST, page forms, the gateway, the MLflow client."""

from __future__ import annotations

from datetime import date, timedelta

from controlplane.demo import card, cause, data, evidence, incident, release, watch
from controlplane.demo.cast import Cast
from controlplane.demo.traffic import Traffic

WINTER = ["2013-01", "2013-02", "2013-03"]
HALF_YEAR = [*WINTER, "2013-04", "2013-05", "2013-06"]
# After April every n-th flight is asked for: the story stays true, and ends while one watches.
SAMPLE = 4
STAND_IN = "The weather observed in the hour of departure stands in for a forecast."
APRIL = date(2013, 4, 1)
# The last evening's flights leave on the first day of the next year in UTC.
YEAR_END = date(2014, 1, 1)


def words(moment: date) -> str:
    return f"{moment.day} {moment:%B}"


def day(month: int, number: int) -> date:
    return date(2013, month, number)


class Story:
    """Three versions of one model in the year 2013."""

    def __init__(self, cast: Cast, sample: int = SAMPLE) -> None:
        self.cast, self.sample = cast, sample
        self.traffic = Traffic(cast)

    def play(self) -> None:
        """Everything, in order."""
        for title, chapter in (
            ("Data", self.data),
            ("Version 1: what the schedule tells", self.first_version),
            ("Version 2: with the weather", self.second_version),
            ("April", self.april),
            ("An incident", self.incident),
            ("Version 3: half a year of seasons", self.third_version),
            ("The rest of the year", self.rest_of_the_year),
            ("Evidence", self.evidence),
        ):
            self.cast.display.chapter(title)
            chapter()

    def data(self) -> None:
        data.ingest(self.cast)

    def first_version(self) -> None:
        cast = self.cast
        number = release.train(
            cast,
            "Train on January to March with the schedule, register with the MLflow client",
            "schedule",
            WINTER,
        )
        release.describe(cast)
        card.write(cast, number)
        release.open_endpoint(cast)
        promotion = release.request(
            cast, number, "First release: it knows the schedule alone, and makes no claim about weather."
        )
        release.sign(cast, promotion)
        release.go_live(cast, "Seal the signatures, check again, deploy", promotion)
        self.ask("Predict the flights of 25 and 26 March", day(3, 25), day(3, 26))

    def second_version(self) -> None:
        cast = self.cast
        number = release.train(
            cast,
            "Train on January to March with the weather, register with the MLflow client",
            "weather",
            WINTER,
        )
        card.write(cast, number)
        promotion = release.request(
            cast,
            number,
            "Weather explains many delays: the hold-out says so.",
            f"Trained on one winter; the hold-out is a random share of the same days. {STAND_IN}",
        )
        release.sign(cast, promotion)
        release.go_live(
            cast,
            "A tenth of the traffic first, then all of it",
            promotion,
            self.canary(day(3, 27), day(3, 31)),
        )
        watch.set_rules(cast)

    def april(self) -> None:
        """Five weeks: one bad week is no alert, two in a row are."""
        cast, traffic = self.cast, self.traffic
        told: set[str] = set()
        self.ask("Replay the flights of 1 April to 5 May", APRIL, day(5, 5))
        for monday in (APRIL + timedelta(days=7 * week) for week in range(1, 6)):
            first, last = monday - timedelta(days=7), monday - timedelta(days=1)
            title = f"Monday, {words(monday)}: the week before is reported"
            watch.labels_arrive(cast, traffic, title, first, last)
            watch.tell_quality(cast, first, last)
            watch.tell_alerts(cast, told)

    def incident(self) -> None:
        cast = self.cast
        found = incident.open_one(cast)
        incident.roll_back(cast, found)
        with cast.display.step("The operator looks for the cause in the prediction log") as step:
            findings = cause.look(cast, self.traffic, 2, 1, APRIL, day(4, 30))
            step.say(cause.in_short(findings))
        incident.close(cast, found, findings, watch.differences(cast, APRIL, day(5, 5)))

    def third_version(self) -> None:
        cast = self.cast
        self.ask(
            f"Replay the rest of May and June with v1, {self.part}",
            day(5, 6),
            day(6, 28),
            keep_one_in=self.sample,
        )
        watch.labels_arrive(cast, self.traffic, "What became of them is reported", day(5, 6), day(6, 28))
        number = release.train(
            cast,
            "Train on January to June with the weather, hold out the newest days",
            "weather",
            HALF_YEAR,
            holdout="time_ordered",
            test_fraction=0.1,
        )
        card.write(cast, number)
        promotion = release.request(
            cast,
            number,
            "Six months of seasons, judged on days after those it learnt from.",
            f"It has seen no autumn. {STAND_IN}",
        )
        release.sign(cast, promotion)
        release.go_live(
            cast,
            "A tenth of the traffic first, then all of it",
            promotion,
            self.canary(day(6, 29), day(7, 3)),
        )

    def rest_of_the_year(self) -> None:
        cast = self.cast
        self.ask(f"Replay July to December, {self.part}", day(7, 4), YEAR_END, keep_one_in=self.sample)
        watch.labels_arrive(cast, self.traffic, "What became of them is reported", day(6, 29), YEAR_END)
        watch.tell_weeks(cast, day(7, 1), YEAR_END)
        watch.tell_issues(cast)

    def evidence(self) -> None:
        watch.tell_costs(self.cast)
        evidence.export_and_verify(self.cast)

    @property
    def part(self) -> str:
        return "every flight" if self.sample == 1 else f"one flight in {self.sample}"

    def ask(self, title: str, first: date, last: date, keep_one_in: int = 1) -> None:
        """Replay these days by the hour through the stable address."""
        with self.cast.display.step(title) as step:
            rows = self.traffic.days(first, last, keep_one_in=keep_one_in)
            asked = self.traffic.ask_by_hour(rows)
            versions = self.traffic.sent.filter(self.traffic.sent["row"].is_in(rows["row"]))[
                "version"
            ].unique()
            answered = " and ".join(f"v{each}" for each in sorted(versions))
            step.say(f"{rows.height:,} predictions in {asked:,} requests by {answered}")

    def canary(self, first: date, last: date) -> release.Trickle:
        """Flights of these days one by one, from the first again when they are used up."""
        return release.Trickle(self.traffic, self.traffic.days(first, last))
