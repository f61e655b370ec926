"""What the admin alone may do: set the protocol's parameters, and pay out of the treasury."""

from __future__ import annotations

from chorale.domain.accounts import ProtocolAccount
from chorale.domain.commands import FeeOptions, PreparedTransaction
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import RefusedError
from chorale.preparation.arguments import check_key, check_u64, fee_payer
from chorale.preparation.base import Draft, Preparation, refuse
from chorale.preparation.destinations import is_missing
from chorale.preparation.snapshot import take_snapshot
from chorale.update.refusals import invalid_input, refusals_as_data, treasury_too_low
from programs import instructions
from programs.fees import COMPUTE_UNITS
from programs.interface import LONGEST_WINDOW, SHORTEST_WINDOW


class AdministrationPreparation(Preparation):
    """configure, withdrawTreasury. Any other wallet than the chain's admin is refused with UNAUTHORIZED."""

    @refusals_as_data
    async def configure(
        self,
        wallet: str,
        minimum_stake: int | None = None,
        approval_window: int | None = None,
        admin: str | None = None,
        fees: FeeOptions | None = None,
    ) -> PreparedTransaction:
        """Parameters, the window in seconds; what is left out stays as it is. A new admin signs too."""
        check_key(wallet, "wallet")
        if admin is not None:
            check_key(admin, "admin")
        if minimum_stake is not None:
            check_u64(minimum_stake, "minimumStake")
            if minimum_stake == 0:
                raise RefusedError(invalid_input("The minimum stake is at least 1 base unit.", "minimumStake"))
        if approval_window is not None and not SHORTEST_WINDOW <= approval_window <= LONGEST_WINDOW:
            raise RefusedError(
                invalid_input(
                    f"An approval window has {SHORTEST_WINDOW} to {LONGEST_WINDOW} seconds.", "approvalWindowSeconds"
                )
            )
        payer, address = fee_payer(wallet, fees), self._addresses.protocol()
        snapshot = await take_snapshot(self._chain, [payer, address])
        protocol = snapshot.protocol(address)
        refuse(_admin_error(protocol, wallet))
        instruction = instructions.configure(
            self._addresses,
            admin=wallet,
            new_admin=admin or wallet,
            minimum_stake=minimum_stake or protocol.minimum_stake,
            approval_window=approval_window or protocol.approval_window,
        )
        draft = Draft(instructions=(instruction,), snapshot=snapshot, payer=payer, units=COMPUTE_UNITS["configure"])
        return await self._prepared(draft, fees)

    @refusals_as_data
    async def withdraw_treasury(
        self, wallet: str, amount: int, destination: str | None = None, fees: FeeOptions | None = None
    ) -> PreparedTransaction:
        """`amount` base units into a token account of the admin's: the associated one, made where it is missing, or
        `destination`."""
        check_key(wallet, "wallet")
        check_u64(amount, "amount")
        if amount == 0:
            raise RefusedError(invalid_input("Withdraw at least 1 base unit.", "amount"))
        if destination is not None:
            check_key(destination, "destination")
        payer, address, mint = fee_payer(wallet, fees), self._addresses.protocol(), await self._token()
        treasury, associated = self._addresses.treasury(), self._addresses.associated_token_account(wallet, mint)
        paid = destination or associated
        snapshot = await take_snapshot(self._chain, [payer, address, treasury, paid])
        refuse(_admin_error(snapshot.protocol(address), wallet))
        if (held := snapshot.tokens(treasury)) < amount:
            raise RefusedError(treasury_too_low(held, amount))
        instruction = instructions.withdraw_treasury(self._addresses, admin=wallet, destination=paid, amount=amount)
        units = COMPUTE_UNITS["withdraw_treasury"]
        draft = Draft(instructions=(instruction,), snapshot=snapshot, payer=payer, units=units)
        if paid == associated:
            draft = await self._with_account(draft, wallet, mint)
        elif is_missing(snapshot.accounts[paid], wallet, mint):
            refuse(ProgramError.INVALID_DESTINATION)
        return await self._prepared(draft, fees)


def _admin_error(protocol: ProtocolAccount, wallet: str) -> ProgramError | None:
    return None if wallet == protocol.admin else ProgramError.UNAUTHORIZED
