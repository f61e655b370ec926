/** Written by scripts/generate.mjs from the program's IDL: do not edit. */

import type { FixedSizeDecoder } from "@solana/kit";
import {
  getThreadCreatedDecoder,
  type ThreadCreated,
  getMessagePostedDecoder,
  type MessagePosted,
  getMessageSubmittedDecoder,
  type MessageSubmitted,
  getVoteCastDecoder,
  type VoteCast,
  getMessageDecidedDecoder,
  type MessageDecided,
  getCoAuthorJoinedDecoder,
  type CoAuthorJoined,
  getCoAuthorLeftDecoder,
  type CoAuthorLeft,
  getMessageCancelledDecoder,
  type MessageCancelled,
  getMessageExpiredDecoder,
  type MessageExpired,
  getStakeRefundedDecoder,
  type StakeRefunded,
  getEscrowClaimedDecoder,
  type EscrowClaimed,
  getSweptDecoder,
  type Swept,
  getConfiguredDecoder,
  type Configured,
  getTreasuryWithdrawnDecoder,
  type TreasuryWithdrawn,
} from "./types/index.js";

/** Fields of each event, by its name. */
export type Events = {
  ThreadCreated: ThreadCreated;
  MessagePosted: MessagePosted;
  MessageSubmitted: MessageSubmitted;
  VoteCast: VoteCast;
  MessageDecided: MessageDecided;
  CoAuthorJoined: CoAuthorJoined;
  CoAuthorLeft: CoAuthorLeft;
  MessageCancelled: MessageCancelled;
  MessageExpired: MessageExpired;
  StakeRefunded: StakeRefunded;
  EscrowClaimed: EscrowClaimed;
  Swept: Swept;
  Configured: Configured;
  TreasuryWithdrawn: TreasuryWithdrawn;
};

export type EventName = keyof Events;

/** The eight bytes in front of each event, and the decoder of what follows them. */
export const EVENTS: { [Name in EventName]: { discriminator: readonly number[]; decoder: FixedSizeDecoder<Events[Name]> } } = {
  ThreadCreated: { discriminator: [59, 69, 189, 201, 230, 112, 52, 77], decoder: getThreadCreatedDecoder() },
  MessagePosted: { discriminator: [11, 28, 144, 13, 232, 160, 251, 5], decoder: getMessagePostedDecoder() },
  MessageSubmitted: { discriminator: [208, 144, 0, 167, 232, 87, 34, 118], decoder: getMessageSubmittedDecoder() },
  VoteCast: { discriminator: [39, 53, 195, 104, 188, 17, 225, 213], decoder: getVoteCastDecoder() },
  MessageDecided: { discriminator: [204, 105, 212, 230, 189, 218, 212, 204], decoder: getMessageDecidedDecoder() },
  CoAuthorJoined: { discriminator: [61, 251, 216, 220, 14, 190, 183, 227], decoder: getCoAuthorJoinedDecoder() },
  CoAuthorLeft: { discriminator: [47, 204, 119, 102, 119, 24, 34, 234], decoder: getCoAuthorLeftDecoder() },
  MessageCancelled: { discriminator: [236, 253, 93, 157, 3, 167, 153, 245], decoder: getMessageCancelledDecoder() },
  MessageExpired: { discriminator: [9, 205, 202, 186, 19, 241, 106, 112], decoder: getMessageExpiredDecoder() },
  StakeRefunded: { discriminator: [81, 188, 224, 106, 3, 59, 199, 216], decoder: getStakeRefundedDecoder() },
  EscrowClaimed: { discriminator: [32, 116, 46, 229, 165, 72, 108, 78], decoder: getEscrowClaimedDecoder() },
  Swept: { discriminator: [254, 138, 9, 198, 192, 61, 165, 135], decoder: getSweptDecoder() },
  Configured: { discriminator: [33, 54, 80, 14, 177, 137, 82, 235], decoder: getConfiguredDecoder() },
  TreasuryWithdrawn: { discriminator: [143, 181, 157, 169, 87, 155, 170, 46], decoder: getTreasuryWithdrawnDecoder() },
};
