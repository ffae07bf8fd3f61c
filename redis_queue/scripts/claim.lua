-- Hand the next waiting job to one worker.
-- Atomic because popping, checking the state and writing the lease must not be seen apart:
-- between them a kill would lose the id, or two workers would hold it.
--
-- KEYS 1 epoch (string)  2 turn (string, counter)  3 ledger (zset)  4 leases (zset)
--      5 raw entries being adopted (list)  6 answer of this operation (list)
--      7 answer of the settle before it (list); the claim is refused unless that holds "1"
--      8 prefix of the job hashes, completed by an id (same slot, by the hash tag)
--      9 paused queue names (set)  10.. the served lists, in order of preference
-- ARGV 1 epoch known to the caller  2 worker name  3 worker instance  4 lease, ms
--      5 entry that BLPOP already took, or ""  6 how long the answer is kept, s
--      7 "1" if KEYS 7 must be asked  8.. the served lists' queue names
-- Returns a flat array: {"job", id, fence, field, value, ...} claimed;
--      {"empty", paused queue, ...}; {"paused", queue, entry} put it back there;
--      {"epoch"} Redis was wiped or replaced: look into it first; {"refused"};
--      {"raw", entry} no job of ours: adopt it; {"more"} stale entries only: call again.
local MAX_SKIPS = 50     -- bounds the script's time when many entries are stale
local ROTATE_EVERY = 8   -- each such claim starts at another list, so that none starves

local earlier = redis.call('LRANGE', KEYS[6], 0, -1)
if #earlier > 0 then return earlier end
if ARGV[7] == '1' and redis.call('LINDEX', KEYS[7], 0) ~= '1' then return {'refused'} end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'epoch'} end

local lists = #KEYS - 9
local paused, closed = redis.call('SMEMBERS', KEYS[9]), {}
for _, name in ipairs(paused) do closed[name] = true end
local turn, first = redis.call('INCR', KEYS[2]), 0
if turn % ROTATE_EVERY == 0 then first = math.floor(turn / ROTATE_EVERY) % lists end

local function pop()
  for i = 0, lists - 1 do
    local at = (first + i) % lists
    local entry = not closed[ARGV[8 + at]] and redis.call('LPOP', KEYS[10 + at])
    if entry then return entry end
  end
  return false
end

local function answer(reply)
  redis.call('RPUSH', KEYS[6], unpack(reply))
  redis.call('EXPIRE', KEYS[6], ARGV[6])
  return reply
end

local entry = ARGV[5]
for _ = 1, MAX_SKIPS do
  if entry == '' then entry = pop() end
  if not entry then return {'empty', unpack(paused)} end
  local key = KEYS[8] .. entry
  local status, queue = unpack(redis.call('HMGET', key, 'status', 'queue'))
  if not status then
    redis.call('RPUSH', KEYS[5], entry)
    return answer({'raw', entry})
  end
  if status == 'pending' and queue and closed[queue] then return {'paused', queue, entry} end
  if status == 'pending' then
    local time = redis.call('TIME')
    local now_us = time[1] * 1000000 + time[2]
    local stored = tonumber(redis.call('HGET', key, 'fence')) or 0
    local fence = string.format('%.0f', math.max(stored + 1, now_us))
    local now_ms = math.floor(now_us / 1000)
    redis.call('HSET', key, 'status', 'processing', 'fence', fence, 'worker_id', ARGV[2],
      'instance', ARGV[3], 'updated_ms', string.format('%.0f', now_ms), 'stopping', '0')
    redis.call('HDEL', key, 'error')
    redis.call('ZREM', KEYS[3], entry)
    redis.call('ZADD', KEYS[4], string.format('%.0f', now_ms + ARGV[4]), entry)
    local reply = redis.call('HGETALL', key)
    for _, value in ipairs({fence, entry, 'job'}) do table.insert(reply, 1, value) end
    return answer(reply)
  end
  entry = ''
end
return {'more'}
