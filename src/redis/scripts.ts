/**
 * What the store does in Redis, each atomic. A session is a hash and a list; its alias a key with the session's id:
 *
 * ```text
 * ninja:s1f0…     head · fence · epoch · handled · first · next · alias · until · remember
 * ninja:s1f0…:m   "5 9 …", "9 10 …"      from, next, and the messages, sealed
 * ninja:a77c…     "s1f0…"
 * ```
 *
 * `until` is in milliseconds of Redis's own clock, so that it does not matter whether those of the servers agree; "inf" for
 * never. The list goes then, the hash and the alias stay for `remember` more. Numbers stay the text that they came as:
 * Lua would write large ones otherwise than they were.
 */
const common = `
local key, list = KEYS[1], KEYS[1] .. ':m'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function over(till)
  return till ~= 'inf' and tonumber(till) <= now
end
local function expire(keep, remember, alias)
  local all = { key, list }
  if alias and alias ~= '' then all[3] = alias end
  if keep == 'inf' then
    for _, each in ipairs(all) do redis.call('PERSIST', each) end
    redis.call('HSET', key, 'until', 'inf')
    return
  end
  local till = string.format('%.0f', now + tonumber(keep))
  redis.call('HSET', key, 'until', till)
  local gone = string.format('%.0f', tonumber(till) + tonumber(remember))
  for index, each in ipairs(all) do redis.call('PEXPIREAT', each, index == 2 and till or gone) end
end
local function found()
  local row = redis.call('HMGET', key, 'head', 'until', 'epoch', 'handled', 'first', 'fence', 'alias', 'remember')
  if not row[1] then return { 'unknown' } end
  if over(row[2]) then return { 'ended', row[1], row[4] } end
  return { 'live', row[1], row[3], row[4], row[5], redis.call('LRANGE', list, 0, -1) }, row
end
`;

/** KEYS: the session. */
export const load = `${common}
local answer = found()
return answer
`;

/** KEYS: the session. ARGV: fence, held or '', epoch or '', keepMs or 'inf'. */
export const claim = `${common}
local fence, held, epoch, keep = unpack(ARGV)
local answer, row = found()
if not row then return answer end
local again = row[6] == fence
local mine = not again and row[6] == held
if not again and not mine and epoch ~= '' and tonumber(epoch) <= tonumber(row[3]) then return { 'stale' } end
if epoch ~= '' and tonumber(epoch) > tonumber(row[3]) then redis.call('HSET', key, 'epoch', epoch) end
expire(keep, row[8], row[7])
if mine then return { 'held' } end
redis.call('HSET', key, 'fence', fence)
answer[1] = 'claimed'
return answer
`;

/**
 * KEYS: the session, and its alias where it is created with one. ARGV: fence, 'create' or '', the id, epoch, handled, first, next,
 * keepMs or 'inf', rememberMs, 'remember', 'forget' or '', 'head' or '', the head, from or '', next of the block, its bytes.
 */
export const write = `${common}
local fence, create, id, epoch, handled, first, next, keep, remember, done, hasHead, head, from, behind, bytes = unpack(ARGV)
local row = redis.call('HMGET', key, 'fence', 'until', 'epoch', 'next', 'alias')
if create == 'create' then
  local other = KEYS[2] and redis.call('GET', KEYS[2])
  if (row[1] and row[1] ~= fence) or (other and other ~= id) then return 'taken' end
  if hasHead == '' then return 'lost' end
  if row[5] and row[5] ~= '' then redis.call('DEL', row[5]) end
  redis.call('DEL', key, list)
  row = { fence, 'inf', epoch, first, KEYS[2] or '' }
elseif not row[1] then
  return 'lost'
elseif row[1] ~= fence then
  return 'fenced'
elseif over(row[2]) then
  return 'lost'
end
local before = tonumber(row[4])
local add = from ~= '' and tonumber(behind) > before
if add and tonumber(from) ~= before and from ~= first then return 'gap' end
local reach = add and tonumber(behind) or before
if reach < tonumber(next) and tonumber(first) < tonumber(next) then return 'gap' end
if create == 'create' then
  redis.call('HSET', key, 'fence', fence, 'alias', row[5])
  if KEYS[2] then redis.call('SET', KEYS[2], id) end
end
if add then
  if tonumber(from) ~= before then redis.call('DEL', list) end
  redis.call('RPUSH', list, from .. ' ' .. behind .. ' ' .. bytes)
end
if hasHead ~= '' then redis.call('HSET', key, 'head', head) end
if tonumber(row[3]) > tonumber(epoch) then epoch = row[3] end
redis.call('HSET', key, 'epoch', epoch, 'handled', handled, 'first', first, 'next', next, 'remember', remember)
while true do
  local oldest = redis.call('LINDEX', list, 0)
  if not oldest or tonumber(string.match(oldest, '^%d+ (%d+) ')) > tonumber(first) then break end
  redis.call('LPOP', list)
end
if done == 'forget' then
  redis.call('DEL', key, list)
  if row[5] ~= '' then redis.call('DEL', row[5]) end
elseif done == 'remember' then
  redis.call('DEL', list)
  expire('0', remember, row[5])
else
  expire(keep, remember, row[5])
end
return 'stored'
`;
