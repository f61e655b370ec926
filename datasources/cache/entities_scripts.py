"""What Redis runs for the entity cache: each script is one step, so a fill and a floor never pass each other.

KEYS[1] is a hash: `era` (the server's run_id and a token), `served` and `filled` (nothing read at or before these slots
is served, or kept). Beside it stand, by era, one hash per address (s, v, r slot, version and time of the entry, e all
of it in bytes; fs, fv the floor's slot and version, fv -1 where that is not known), a sorted set of addresses by
their last use, and the claims. A server that has started again has another run_id, so what it may have restored from
before the last floors is never looked at. Versions and slots stay below 2^53.
"""

from __future__ import annotations

# ARGV[1] a token for a new era. Every script takes these three arguments: token, unix seconds, seconds to keep.
_BEGIN = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local era = redis.call('HGET', KEYS[1], 'era')
if not era or string.sub(era, 1, #run) ~= run then
  era = run .. ARGV[1]
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'era', era)
end
local now, keep = tonumber(ARGV[2]), ARGV[3]
local base = KEYS[1] .. ':' .. era .. ':'
local used = base .. 'used'
local function number(text) return tonumber(text or -1) end
local function admitted(slot, version, fs, fv)
  if not fs or slot > number(fs) then return true end
  return number(fv) >= 0 and version >= number(fv)
end
local function touch(addresses)
  for at = 1, #addresses, 1000 do
    local scored = {}
    for i = at, math.min(at + 999, #addresses) do
      scored[#scored + 1] = ARGV[2]
      scored[#scored + 1] = addresses[i]
    end
    redis.call('ZADD', used, unpack(scored))
  end
  redis.call('EXPIRE', used, keep)
end
local function evict(most)
  local excess = redis.call('ZCARD', used) - most
  if excess <= 0 then return end
  local filled = number(redis.call('HGET', KEYS[1], 'filled'))
  local gone = redis.call('ZPOPMIN', used, excess)
  for i = 1, #gone, 2 do
    filled = math.max(filled, number(redis.call('HGET', base .. gone[i], 'fs')))
    redis.call('UNLINK', base .. gone[i])
  end
  redis.call('HSET', KEYS[1], 'filled', string.format('%.0f', filled))
end
"""

# ARGV: …, oldest time served, claim token, milliseconds it lasts, then per address: address, "1" to claim it.
# Answers era and one string, which a client reads faster than a list: per address the length and bytes of an entry, or
# -1, the floor's slot, and 1 where it is claimed.
LOOK_UP = (
    _BEGIN
    + """
local oldest, claim, lasts = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local served = number(redis.call('HGET', KEYS[1], 'served'))
local answer, hits = {}, {}
for i = 7, #ARGV, 2 do
  local held = redis.call('HMGET', base .. ARGV[i], 's', 'v', 'r', 'e', 'fs', 'fv')
  local slot = number(held[1])
  if held[1] and slot > served and tonumber(held[3]) > oldest
      and admitted(slot, number(held[2]), held[5], held[6]) then
    answer[#answer + 1] = struct.pack('<i4', #held[4]) .. held[4]
    hits[#hits + 1] = ARGV[i]
  else
    local mine = 0
    if ARGV[i + 1] == '1' and redis.call('SET', base .. 'claim:' .. ARGV[i], claim, 'NX', 'PX', lasts) then
      mine = 1
    end
    answer[#answer + 1] = struct.pack('<i4dB', -1, number(held[5]), mine)
  end
end
if #hits > 0 then touch(hits) end
return {era, table.concat(answer)}
"""
)

# Entries from ARGV[first] on, per entry: address, slot, version, time, bytes. What its floor does not admit is kept as
# last known where nothing better is.
_FILL = """
local function fill(first, most)
  local above = number(redis.call('HGET', KEYS[1], 'filled'))
  local put = {}
  for i = first, #ARGV, 5 do
    local key, slot, version = base .. ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local held = redis.call('HMGET', key, 's', 'v', 'fs', 'fv')
    local old, oldVersion = number(held[1]), number(held[2])
    local serves = held[1] and admitted(old, oldVersion, held[3], held[4])
    if slot > above and (admitted(slot, version, held[3], held[4]) or not serves)
        and (slot > old or (slot == old and version >= oldVersion)) then
      if slot > old and version < oldVersion then
        redis.call('HDEL', key, 's', 'v', 'r', 'e')
      else
        redis.call('HSET', key, 's', ARGV[i + 1], 'v', ARGV[i + 2], 'r', ARGV[i + 3], 'e', ARGV[i + 4])
        redis.call('EXPIRE', key, keep)
        put[#put + 1] = ARGV[i]
      end
    end
  end
  if #put > 0 then
    touch(put)
    evict(most)
  end
  return #put
end
"""

# ARGV: …, era of the lookup or "", claim token, most entries, then how many addresses are claimed and these, then
# entries.
PUT = (
    _BEGIN
    + _FILL
    + """
local first = 8 + tonumber(ARGV[7])
for i = 8, first - 1 do
  local key = base .. 'claim:' .. ARGV[i]
  if redis.call('GET', key) == ARGV[5] then redis.call('DEL', key) end
end
if ARGV[4] ~= '' and ARGV[4] ~= era then return 0 end
return fill(first, tonumber(ARGV[6]))
"""
)

# ARGV: …, most entries, the slot below which nothing at all is served or -1, the era that the entries are
# of, how many floors, then per floor: address, slot, version, and per entry as for PUT. Answers the era of it all.
RAISE = (
    _BEGIN
    + _FILL
    + """
if number(ARGV[5]) > number(redis.call('HGET', KEYS[1], 'served')) then
  redis.call('HSET', KEYS[1], 'served', ARGV[5])
end
local raised = {}
local first = 8 + 3 * tonumber(ARGV[7])
for i = 8, first - 1, 3 do
  local key, slot, version = base .. ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local held = redis.call('HMGET', key, 'fs', 'fv')
  local fs, fv = number(held[1]), number(held[2])
  if held[1] then
    if version >= 0 and fv >= 0 then
      slot, version = math.max(slot, fs), math.max(version, fv)
    elseif slot == fs then
      version = -1
    elseif fs > slot then
      slot, version = fs, fv
    end
  end
  redis.call('HSET', key, 'fs', string.format('%.0f', slot), 'fv', string.format('%.0f', version))
  redis.call('EXPIRE', key, keep)
  raised[#raised + 1] = ARGV[i]
end
if #raised > 0 then
  touch(raised)
  evict(tonumber(ARGV[4]))
end
if ARGV[6] == era then fill(first, tonumber(ARGV[4])) end
return era
"""
)

# ARGV: …, then addresses: the entry held of each, "" where there is none.
LAST_KNOWN = (
    _BEGIN
    + """
local answer = {}
for i = 4, #ARGV do
  answer[#answer + 1] = redis.call('HGET', base .. ARGV[i], 'e') or ''
end
return answer
"""
)

# ARGV: …, then addresses: how many of them are claimed.
CLAIMED = (
    _BEGIN
    + """
local claimed = 0
for i = 4, #ARGV do claimed = claimed + redis.call('EXISTS', base .. 'claim:' .. ARGV[i]) end
return claimed
"""
)

# ARGV: …, then addresses whose entries go and whose floors stay.
FORGET = (
    _BEGIN
    + """
for i = 4, #ARGV do redis.call('HDEL', base .. ARGV[i], 's', 'v', 'r', 'e') end
return 1
"""
)

# ARGV: …, how many: addresses by chance.
SAMPLE = _BEGIN + "return redis.call('ZRANDMEMBER', used, tonumber(ARGV[4]))"

# Another era: whatever is there is never looked at again, and goes when its time is over.
CLEAR = _BEGIN + "redis.call('DEL', KEYS[1], used) return 1"
