"""Prometheus metrics of the API, in a registry of their own. No label holds a caller's words."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Counters and histograms of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
            "(ok, partial, refused, failed).",
            ("operation", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
