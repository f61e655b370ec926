"""The command line: serve, localnet, keeper, verify, demo, export-schema. Settings come from the environment alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from chorale.domain.errors import StartupError
from chorale.process.logs import set_up_logs
from chorale.process.output import announce, say
from chorale.settings import Settings, describe_settings

CANNOT_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. 2 with one line on standard error where it cannot start as configured."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except StartupError as error:
        print(f"chorale: {error}", file=sys.stderr)
        return CANNOT_START
    except KeyboardInterrupt:
        return 130
    return code


# Each command imports what it runs on only when it runs: --help and refusals must not wait for models and runtimes.


def _serve(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    set_up_logs()
    from chorale.process.data_directory import keep_files_private
    from chorale.process.serve_command import serve

    keep_files_private()
    return _run(serve(settings, say, announce))


def _localnet(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    data, port = settings.data, settings.chain_rpc_port
    set_up_logs()
    from chorale.process.data_directory import keep_files_private
    from chorale.process.localnet_command import localnet, supervised

    keep_files_private()
    return _run(supervised(data, port) if options.supervised else localnet(data, port, announce))


def _keeper(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    set_up_logs()
    from chorale.process.data_directory import keep_files_private
    from chorale.process.keeper_command import dry_run, keeper

    keep_files_private()
    if options.dry_run:
        return _run(dry_run(settings, announce))
    return _run(keeper(settings, say, announce, once=options.once))


def _verify(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    set_up_logs(logging.ERROR)  # the report tells what is found
    from chorale.process.data_directory import keep_files_private
    from chorale.process.verify_command import verify

    keep_files_private()
    return _run(verify(settings, say, announce, repair=options.repair, machine=options.json))


def _demo(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ)
    set_up_logs()
    from chorale.demo.command import demo

    return _run(demo(settings, options.size, say))


def _export_schema(options: argparse.Namespace) -> int:
    from resolvers.schema import export_schema

    text, path = export_schema(), options.path
    if not options.check:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"chorale: {path} is not what the code says. Run `chorale export-schema` and commit it.", file=sys.stderr)
    return 1


def _run(command: Coroutine[Any, Any, int]) -> int:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(command)


def _size(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("a number of messages from 1 to 100000")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chorale",
        description="GraphQL over Solana and Qdrant for collaborative writing that pays.",
        epilog=describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = commands.add_parser(
        "serve",
        help="serve GraphQL, with everything embedded unless addresses say otherwise",
        description="Serve GraphQL at /graphql (HTTP and WebSocket) and GraphiQL at /. Where CHORALE_CHAIN_URL is "
        "localnet:, the embedded chain is started beside the server, started again where it dies, and ended with it. "
        "The first start builds the embedding model and makes demo data. Ctrl-C stops.",
    )
    serve.set_defaults(run=_serve)

    localnet = commands.add_parser(
        "localnet",
        help="the embedded chain alone: Solana JSON-RPC and PubSub on loopback",
        description="Run the embedded chain alone, for any Solana client: JSON-RPC on CHORALE_CHAIN_RPC_PORT, PubSub "
        "there and on the next port, the program deployed and initialised, keys in CHORALE_DATA/localnet/keys.",
    )
    localnet.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    localnet.set_defaults(run=_localnet)

    keeper = commands.add_parser(
        "keeper",
        help="send what is due to everybody: expire, resolve, refund, sweep",
        description="Look over the program's accounts and send what anybody may send once it is due, paid for by "
        "CHORALE_KEEPER_KEYPAIR. Needs an RPC and that keypair alone; on the embedded chain it has its own. Several "
        "keepers share the work where they share CHORALE_CACHE_URL or CHORALE_DATA. Ctrl-C stops.",
    )
    how = keeper.add_mutually_exclusive_group()
    how.add_argument(
        "--once", action="store_true", help="one pass, without waiting; exit code 1 where some of it failed"
    )
    how.add_argument("--dry-run", action="store_true", help="print what is due and send nothing")
    keeper.set_defaults(run=_keeper)

    verify = commands.add_parser(
        "verify",
        help="check everything that is derived against its authority",
        description="Check the four boundaries completely: the index against Solana's accounts, the content in Qdrant "
        "with every hash recomputed, the cache, and what live clients last said they show. Goes through the server "
        "that holds CHORALE_DATA, or without one where none runs. Progress on standard error, the report on standard "
        "output. Exit code 0: everything agrees, or was healed; 1: conflicts are left; 2: something could not be "
        "checked.",
    )
    verify.add_argument("--repair", action="store_true", help="have every conflict resolved by its authority")
    verify.add_argument("--json", action="store_true", help="the report as JSON")
    verify.set_defaults(run=_verify)

    demo = commands.add_parser(
        "demo",
        help="make demo data",
        description="Make demo messages by running the real mutations: through the server that holds CHORALE_DATA, or "
        "without one where none runs. A broken-off run is continued by the next.",
    )
    demo.add_argument("--size", type=_size, default=100, metavar="N", help="how many messages to make (100)")
    demo.set_defaults(run=_demo)

    schema = commands.add_parser(
        "export-schema",
        help="write schema.graphql",
        description="Write the schema as SDL, development mutations included.",
    )
    schema.add_argument("path", type=Path, nargs="?", default=Path("schema.graphql"), help="file (schema.graphql)")
    schema.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file differs")
    schema.set_defaults(run=_export_schema)
    return parser


if __name__ == "__main__":
    sys.exit(main())
