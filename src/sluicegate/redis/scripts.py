"""The scripts that Redis runs, each as one step that nothing comes between.

A partition is worked on under a lease: a key with the token of one visit, which expires where its holder dies. Taking
the lease claims what a dead worker left. All is written at once, and only while the lease is still one's own: a worker
that was only slow cannot write what another has written since.
"""

from __future__ import annotations

TAKE = """
-- KEYS: lease, rows. ARGV: token, lease in ms, group, consumer, count.
-- The rows to work on, oldest first: those that were given out and never answered, else new ones. False: it is leased.
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local found, cursor = {}, '0-0'
repeat
  local claimed = redis.call('XAUTOCLAIM', KEYS[2], ARGV[3], ARGV[4], 0, cursor, 'COUNT', ARGV[5])
  cursor, found = claimed[1], claimed[2]
until #found > 0 or cursor == '0-0'
if #found == 0 then
  local read = redis.call('XREADGROUP', 'GROUP', ARGV[3], ARGV[4], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], '>')
  if read then found = read[1][2] end
end
if #found == 0 then redis.call('DEL', KEYS[1]) end
return found
"""

COMMIT = """
-- KEYS: lease, rows, answers, states. ARGV: token, group, life of a state in ms or 0, states; id, key, answer of each.
-- 1 where all of it was written; 0, and nothing was, where the lease is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local states = #KEYS - 3
for i = 1, states do
  redis.call('SET', KEYS[3 + i], ARGV[3 + i])
  if ARGV[3] ~= '0' then redis.call('PEXPIRE', KEYS[3 + i], ARGV[3]) end
end
for i = 4 + states, #ARGV, 3 do
  redis.call('XADD', KEYS[3], '*', 'row', ARGV[i], 'key', ARGV[i + 1], 'answer', ARGV[i + 2])
  redis.call('XACK', KEYS[2], ARGV[2], ARGV[i])
  redis.call('XDEL', KEYS[2], ARGV[i])
end
redis.call('DEL', KEYS[1])
return 1
"""

RENEW = """
-- KEYS: lease. ARGV: token, lease in ms. 1 where it is held anew, 0 where it is another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

RELEASE = """
-- KEYS: lease. ARGV: token.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
