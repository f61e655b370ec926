"""Runs one scenario and turns whatever it finds into a report."""

from __future__ import annotations

import time
import traceback
from types import ModuleType

from tests.faults.promises import LostError, ShownError
from tests.faults.report import ScenarioReport
from tests.faults.scenarios import content, files, history, kills, past, points, repairs, rewinds, store, wires
from tests.faults.world import Options

SCENARIOS: dict[str, ModuleType] = {
    "points": points,
    "kills": kills,
    "wires": wires,
    "past": past,
    "content": content,
    "repairs": repairs,
    "store": store,
    "files": files,
    "rewinds": rewinds,
    "history": history,
}


async def run_scenario(name: str, options: Options) -> ScenarioReport:
    """The report; a violation ends the scenario and is told in it."""
    report = ScenarioReport(name, options.seed)
    print(f"{name}: {(SCENARIOS[name].__doc__ or '').partition(chr(10))[0]}", flush=True)
    begun = time.monotonic()
    try:
        await SCENARIOS[name].run(options, report)
    except LostError as error:
        report.lost, report.problem = report.lost + 1, str(error)
    except ShownError as error:
        report.shown.append(str(error))
    except Exception as error:  # noqa: BLE001 -- whatever a scenario meets, the report and the other scenarios come
        report.problem = f"{error!r}"[:4000] or type(error).__name__
        traceback.print_exc()
    report.seconds = time.monotonic() - begun
    if report.problem:
        print(f"  VIOLATED: {report.problem[:500]}", flush=True)
    return report
