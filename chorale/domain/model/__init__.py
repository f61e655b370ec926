"""The on-chain program once more, in plain Python: the rules that the compiled program is held against.

world = World(program=key, rent_per_byte=6_960)      # accounts by address; fill `states`, move `now`
outcome = world.execute(Call(data, places, fee_payer))

It reads the same instruction bytes and account lists as the program and keeps every account as a value, so it foretells
the outcome, the error, every field, every balance and every lamport, for wrong accounts and signers too. It shares
nothing with the program's client: identities, addresses and trees are computed here again. Keys and hashes are `bytes`
of 32, amounts base units or lamports, times unix s.
"""
