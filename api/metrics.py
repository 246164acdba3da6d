"""Prometheus metrics of the API, in a registry of their own. No label holds a caller's words.

What is counted of archives is kept by their clients (archives/standing.py) and read when Prometheus asks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from archives.breaker import BreakerState
from archives.client import ArchiveClient
from db.indexing.jobs import JobState

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters and histograms of one application. archives: those that it asks, read at each scrape, as is
    whether archives.toml can be used.

    jobs: the job state of archives by code, which the endpoint sets before it renders.
    """

    def __init__(
        self, archives: Iterable[ArchiveClient] = (), file_is_good: Callable[[], bool] = lambda: True
    ) -> None:
        self.registry = CollectorRegistry()
        Gauge(
            "ernfed_archives_file_good",
            "1 while archives.toml can be used; 0 while its last good state holds on.",
            registry=self.registry,
        ).set_function(lambda: float(file_is_good()))
        self.registry.register(_OfArchives(archives))
        self.registry.register(_OfJobs(self))
        self.jobs: Mapping[str, JobState] = {}
        self.http_requests = Counter(
            "ernfed_http_requests",
            "HTTP requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.http_in_flight = Gauge(
            "ernfed_http_requests_in_flight", "HTTP requests being answered now.", registry=self.registry
        )
        self.operations = Histogram(
            "ernfed_graphql_operation_seconds",
            "Time of GraphQL operations by type (query, mutation, subscription, unknown) and outcome "
            "(ok, partial, refused, failed; cut_off: not in time, or the client left).",
            ("operation", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


class _OfJobs(Collector):
    """How the index keeps up with each archive."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        lag = GaugeMetricFamily(
            "ernfed_archive_lag_seconds", "How old the index's picture of it may be.", labels=["archive"]
        )
        overdue = GaugeMetricFamily(
            "ernfed_archive_overdue_seconds",
            "How long ago its next run was due; grows where nobody works.",
            labels=["archive"],
        )
        failures = GaugeMetricFamily(
            "ernfed_archive_failed_runs", "Runs that failed, one after the other.", labels=["archive"]
        )
        for code, state in self._metrics.jobs.items():
            if state.lag_seconds is not None:
                lag.add_metric([code], state.lag_seconds)
            overdue.add_metric([code], max(0.0, state.overdue_seconds or 0.0))
            failures.add_metric([code], state.failures or 0)
        yield from (lag, overdue, failures)


class _OfArchives(Collector):
    """How each archive stands with this process."""

    def __init__(self, archives: Iterable[ArchiveClient]) -> None:
        self._archives = archives

    def collect(self) -> Iterator[Metric]:
        label = ["archive"]
        breaker = GaugeMetricFamily(
            "ernfed_archive_breaker_state",
            "1 for the state that its breaker is in.",
            labels=[*label, "state"],
        )
        requests = CounterMetricFamily("ernfed_archive_requests", "HTTP requests to it.", labels=label)
        retries = CounterMetricFamily(
            "ernfed_archive_retries", "Requests that were a further try.", labels=label
        )
        errors = CounterMetricFamily(
            "ernfed_archive_errors", "What was asked and failed, by code.", labels=[*label, "code"]
        )
        seconds = SummaryMetricFamily(
            "ernfed_archive_seconds", "What was asked, and how long it took with its retries.", labels=label
        )
        for client in self._archives:
            standing, code = client.standing, client.config.code
            for state in BreakerState:
                breaker.add_metric([code, state.value], float(state is standing.breaker.state))
            requests.add_metric([code], standing.requests)
            retries.add_metric([code], standing.retries)
            for name, count in sorted(standing.errors.items()):
                errors.add_metric([code, name], count)
            seconds.add_metric([code], standing.asked, standing.seconds)
        yield from (breaker, requests, retries, errors, seconds)
