"""Runs one scenario and turns whatever it finds into a report."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace
from types import ModuleType

from solders.keypair import Keypair

from tests.faults.promises import LostError, ShownError
from tests.faults.report import ScenarioReport
from tests.faults.scenarios import content, files, history, kills, past, points, repairs, rewinds, store, wires
from tests.faults.world import Options
from tests.validator import initialized

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


def reason_against(name: str, options: Options) -> str:
    """Why a scenario cannot run on this chain, "" where it can."""
    if name == "history" and options.cluster is not None:
        return "it puts the history of the embedded chain back, which a validator's cannot be"
    return ""


async def run_scenario(name: str, options: Options, program: Keypair | None = None) -> ScenarioReport:
    """The report; a violation ends the scenario and is told in it. On a cluster it has a `program` of its own."""
    report = ScenarioReport(name, options.seed, left_out=reason_against(name, options))
    if report.left_out:
        print(f"{name}: left out, {report.left_out}", flush=True)
        return report
    print(f"{name}: {(SCENARIOS[name].__doc__ or '').partition(chr(10))[0]}", flush=True)
    begun = time.monotonic()
    try:
        if options.cluster is not None and program is not None:
            options = replace(options, cluster=await initialized(options.cluster, program))
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
