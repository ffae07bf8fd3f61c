-- Hand one worker several more jobs of the queue that it has just claimed one of.
-- Atomic for the same reasons as claim.lua. A worker whose reply is lost has not claimed their
-- rows: the leases lapse, and the jobs go back uncounted.
--
-- KEYS 1 epoch (string)  2 ledger (zset)  3 leases (zset)  4 paused queue names (set)
--      5 the queue's list  6 prefix of the job hashes, completed by an id (same slot)
-- ARGV 1 epoch known to the caller  2 worker name  3 worker instance  4 lease, ms
--      5 how many at most  6 the queue's name
-- Returns a flat array: id, fence, how long it waited (ms) of each; empty when nothing waits, the
--      queue is paused, or Redis was wiped. An entry that is no job of ours stays for claim.lua.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {} end
if redis.call('SISMEMBER', KEYS[4], ARGV[6]) == 1 then return {} end
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000)
local now, lease_end = string.format('%.0f', now_ms), string.format('%.0f', now_ms + ARGV[4])
local looked, found, claimed, leases = 0, {}, {}, {}
for _, entry in ipairs(redis.call('LRANGE', KEYS[5], 0, ARGV[5] - 1)) do
  local key = KEYS[6] .. entry
  local held = redis.call('HMGET', key, 'status', 'fence', 'enqueued_ms', 'error', 'stopping')
  if not held[1] then break end
  looked = looked + 1
  if held[1] == 'pending' then
    local fence = string.format('%.0f', math.max((tonumber(held[2]) or 0) + 1, now_us))
    redis.call('HSET', key, 'status', 'processing', 'fence', fence, 'worker_id', ARGV[2],
      'instance', ARGV[3], 'updated_ms', now)
    if held[5] == '1' then redis.call('HSET', key, 'stopping', '0') end
    if held[4] then redis.call('HDEL', key, 'error') end
    claimed[#claimed + 1] = entry
    leases[#leases + 1] = lease_end
    leases[#leases + 1] = entry
    found[#found + 1] = entry
    found[#found + 1] = fence
    found[#found + 1] = math.max(0, now_ms - (tonumber(held[3]) or now_ms))
  end
end
if looked > 0 then redis.call('LTRIM', KEYS[5], looked, -1) end
if #claimed > 0 then
  redis.call('ZREM', KEYS[2], unpack(claimed))
  redis.call('ZADD', KEYS[3], unpack(leases))
end
return found
