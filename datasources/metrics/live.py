"""Metrics whose values are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Read = Callable[[], Mapping[tuple[str, ...], float]]
"""The values now, by the values of the labels."""


class LiveGauge(Collector):
    """A gauge that asks `read` at every scrape."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str], read: Read) -> None:
        self._name = name
        self._meaning = meaning
        self._labels = labels
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Its name, for the registry; nothing is read."""
        yield GaugeMetricFamily(self._name, self._meaning, labels=self._labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Its values now."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for labels, value in self._read().items():
            family.add_metric(labels, value)
        yield family
