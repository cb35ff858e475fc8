/** The transition table of a connection, every row of it, and the situations, events and claims that its sentences know. */
import { rows } from './sentence.js';

export const connectionRows = rows(`
# idle
disconnected.idle, connect → connecting.dialing, epoch 1, attempt 1, announces connecting, socket 1 alive
disconnected.idle after 2 failures, connect → connecting.dialing, epoch 3, attempt 1, failures 0, socket 3 alive
disconnected.idle, close with nothing held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.idle, close with 3 held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.idle, close with 3 owed → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.idle, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED

# waiting
disconnected.waiting, after backoff → connecting.dialing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting, connect → connecting.dialing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting, reconnectNow → connecting.dialing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting, disconnect → disconnected.idle, reason DISCONNECTED, announces nothing
disconnected.waiting, close with nothing held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.waiting, close with 3 held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.waiting, close with 3 owed → connecting.dialing, closing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED

# failed
disconnected.failed, connect → connecting.dialing, epoch 6, attempt 1, failures 0, revives, announces connecting, socket 6 alive
disconnected.failed, close with nothing held → disposed, reason DISPOSED, announces disposed
disconnected.failed, close with 3 held → disposed, reason DISPOSED, announces disposed
disconnected.failed, close with 3 owed → disposed, reason DISPOSED, announces disposed
disconnected.failed, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED

# connecting: dialing
connecting.dialing, socket.opened of this epoch → connected.unproven, announces connected, gate open
connecting.dialing with a greeting, socket.opened of this epoch → connecting.greeting, greets, announces nothing, socket 1 alive
connecting.dialing, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, failures 1, retry in 50, announces disconnected
connecting.dialing, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 1, retry in 50, announces disconnected
connecting.dialing after 2 failures, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 3, announces disconnected
connecting.dialing of the last attempt, socket.failed of this epoch → disconnected.failed, reason CONNECT_FAILED, failures 5, no retry, announces disconnected then failed, outbox settled GAVE_UP
connecting.dialing, socket.failed for good → disconnected.failed, reason CERTIFICATE, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connecting.dialing while closing, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
connecting.dialing without backoff, socket.failed of this epoch → disconnected.failed, reason CONNECT_FAILED, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connecting.dialing, after connectTimeout → disconnected.waiting, reason CONNECT_TIMEOUT, failures 1, retry in 50, announces disconnected
connecting.dialing of the last attempt, after connectTimeout → disconnected.failed, reason CONNECT_TIMEOUT, failures 5, no retry, announces disconnected then failed
connecting.dialing, disconnect → disconnected.idle, reason DISCONNECTED, failures 0, no retry, announces disconnected
connecting.dialing, close with nothing held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
connecting.dialing, close with 3 held → connecting.dialing, closing, announces nothing, socket 1 alive
connecting.dialing, close with 3 owed → connecting.dialing, closing, announces nothing, socket 1 alive
connecting.dialing, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
connecting.dialing while closing, socket.opened of this epoch → connected.draining, announces connected, drains, socket 1 alive
connecting.dialing with a greeting while closing, socket.opened of this epoch → connecting.greeting, closing, greets, announces nothing, socket 1 alive
connecting.dialing while closing, socket.closed of this epoch → disposed, reason CLOSED_BY_PEER, announces disposed, outbox settled DISPOSED
connecting.dialing while closing, socket.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed, outbox settled DISPOSED
connecting.dialing while closing, after connectTimeout → disposed, reason CONNECT_TIMEOUT, announces disposed, outbox settled DISPOSED
connecting.dialing while closing, disconnect → disposed, reason DISCONNECTED, announces disposed, outbox settled DISPOSED
connecting.dialing while closing, close with nothing held → disposed, reason DISPOSED, announces disposed
connecting.dialing while closing, close with 3 held → connecting.dialing, closing, announces nothing
connecting.dialing while closing, close with 3 owed → connecting.dialing, closing, announces nothing
connecting.dialing while closing, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED

# connecting: greeting
connecting.greeting, greeting.passed of this epoch → connected.unproven, announces connected, gate open, socket 1 alive
connecting.greeting, socket.heard of this epoch → connecting.greeting, proven, announces nothing, socket 1 alive
connecting.greeting once heard, greeting.passed of this epoch → connected.live, proven, announces connected then live, gate open
connecting.greeting, greeting.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 1, retry in 50, announces disconnected
connecting.greeting of the last attempt, greeting.failed of this epoch → disconnected.failed, reason CONNECT_FAILED, failures 5, no retry, announces disconnected then failed
connecting.greeting, greeting.failed for good → disconnected.failed, reason NOT_A_PEER, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connecting.greeting, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, failures 1, retry in 50, announces disconnected
connecting.greeting, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 1, retry in 50, announces disconnected
connecting.greeting, socket.failed for good → disconnected.failed, reason CERTIFICATE, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connecting.greeting, after connectTimeout → disconnected.waiting, reason CONNECT_TIMEOUT, failures 1, retry in 50, announces disconnected
connecting.greeting, disconnect → disconnected.idle, reason DISCONNECTED, no retry, announces disconnected
connecting.greeting, close with nothing held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
connecting.greeting, close with 3 held → connecting.greeting, closing, announces nothing, socket 1 alive
connecting.greeting, close with 3 owed → connecting.greeting, closing, announces nothing, socket 1 alive
connecting.greeting, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
connecting.greeting while closing, greeting.passed of this epoch → connected.draining, announces connected, drains, socket 1 alive
connecting.greeting while closing, socket.heard of this epoch → connecting.greeting, proven, closing, announces nothing
connecting.greeting while closing, greeting.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed
connecting.greeting while closing, greeting.failed for good → disposed, reason NOT_A_PEER, announces disposed
connecting.greeting while closing, socket.closed of this epoch → disposed, reason CLOSED_BY_PEER, announces disposed
connecting.greeting while closing, socket.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed
connecting.greeting while closing, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
connecting.greeting while closing, after connectTimeout → disposed, reason CONNECT_TIMEOUT, announces disposed
connecting.greeting while closing, disconnect → disposed, reason DISCONNECTED, announces disposed, outbox settled DISPOSED
connecting.greeting while closing, close with nothing held → disposed, reason DISPOSED, announces disposed
connecting.greeting while closing, close with 3 held → connecting.greeting, closing, announces nothing
connecting.greeting while closing, close with 3 owed → connecting.greeting, closing, announces nothing
connecting.greeting while closing, dispose → disposed, reason DISPOSED, announces disposed

# connected: unproven
connected.unproven, socket.heard of this epoch → connected.live, proven, announces live, socket 1 alive
connected.unproven, close with nothing held → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.unproven, close with 3 held → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.unproven, close with 3 owed → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.unproven, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, failures 1, retry in 50, announces disconnected
connected.unproven, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 1, retry in 50, announces disconnected
connected.unproven, socket.failed for good → disconnected.failed, reason CERTIFICATE, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connected.unproven, disconnect → disconnected.idle, reason DISCONNECTED, no retry, announces disconnected
connected.unproven, reconnectNow → connecting.dialing, reason DISCONNECTED, epoch 2, told to retry in 0, announces disconnected then connecting, socket 2 alive
connected.unproven, after silence heard → connected.unproven, listens anew, announces nothing, socket 1 alive
connected.unproven, after silence unheard → stale, reason STALE, announces stale, socket 1 discarded
connected.unproven, dispose → disposed, reason DISPOSED, announces disposed

# connected: live
connected.live, close with nothing held → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.live, close with 3 held → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.live, close with 3 owed → connected.draining, closing, drains, announces nothing, socket 1 alive
connected.live, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, failures 1, retry in 50, announces disconnected
connected.live, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, failures 1, retry in 50, announces disconnected
connected.live, socket.failed for good → disconnected.failed, reason CERTIFICATE, failures 1, no retry, announces disconnected then failed, outbox settled GAVE_UP
connected.live, disconnect → disconnected.idle, reason DISCONNECTED, no retry, announces disconnected
connected.live, reconnectNow → connecting.dialing, reason DISCONNECTED, epoch 2, told to retry in 0, announces disconnected then connecting, socket 2 alive
connected.live, after silence heard → connected.live, listens anew, announces nothing, socket 1 alive
connected.live, after silence unheard → stale, reason STALE, announces stale, socket 1 discarded
connected.live, dispose → disposed, reason DISPOSED, announces disposed

# connected: draining
connected.draining, socket.closed of this epoch → disposed, reason CLOSED_BY_PEER, announces disposed, outbox settled DISPOSED
connected.draining, socket.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed, outbox settled DISPOSED
connected.draining, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
connected.draining, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed, outbox settled DISPOSED
connected.draining with time, after silence heard → connected.draining, listens anew, announces nothing, socket 1 alive
connected.draining with time, after silence unheard → stale, reason STALE, closing, announces stale, socket 1 discarded
connected.draining, disconnect → disposed, reason DISCONNECTED, announces disposed, outbox settled DISPOSED
connected.draining, reconnectNow → connected.draining, closing, announces nothing, socket 1 alive
connected.draining, dispose → disposed, reason DISPOSED, announces disposed

# stale
stale, socket.closed of this epoch → disconnected.waiting, reason STALE, failures 1, retry in 50, announces disconnected
stale, socket.failed of this epoch → disconnected.waiting, reason STALE, failures 1, retry in 50, announces disconnected
stale, socket.failed for good → disconnected.waiting, reason STALE, failures 1, retry in 50, announces disconnected
stale, after discardTimeout → disconnected.waiting, reason STALE, failures 1, retry in 50, announces disconnected
stale of the last attempt, socket.closed of this epoch → disconnected.failed, reason STALE, failures 5, no retry, announces disconnected then failed
stale, disconnect → disconnected.idle, reason DISCONNECTED, no retry, announces disconnected
stale, close with nothing held → stale, closing, announces nothing
stale, close with 3 held → stale, closing, announces nothing
stale, close with 3 owed → stale, closing, announces nothing
stale, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
stale while closing, socket.closed of this epoch → disposed, reason STALE, announces disposed, outbox settled DISPOSED
stale while closing, socket.failed of this epoch → disposed, reason STALE, announces disposed, outbox settled DISPOSED
stale while closing, socket.failed for good → disposed, reason STALE, announces disposed, outbox settled DISPOSED
stale while closing, after discardTimeout → disposed, reason STALE, announces disposed, outbox settled DISPOSED
stale while closing, close with 3 held → stale, closing, announces nothing
stale while closing, close with 3 owed → stale, closing, announces nothing
stale while closing, disconnect → disposed, reason DISCONNECTED, announces disposed, outbox settled DISPOSED
stale while closing, dispose → disposed, reason DISPOSED, announces disposed

# a session is owed: no line that is lost is the last one, while there is time
disconnected.waiting while closing owing, after backoff → connecting.dialing, closing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting while closing owing, connect → connecting.dialing, closing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting while closing owing, reconnectNow → connecting.dialing, closing, epoch 2, attempt 2, failures 1, announces connecting, socket 2 alive
disconnected.waiting while closing owing, disconnect → disposed, reason DISCONNECTED, announces disposed, outbox settled DISPOSED
disconnected.waiting while closing owing, close with nothing held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.waiting while closing owing, close with 3 held → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
disconnected.waiting while closing owing, close with 3 owed → disconnected.waiting, closing, announces nothing
disconnected.waiting while closing owing, dispose → disposed, reason DISPOSED, announces disposed, outbox settled DISPOSED
connecting.dialing while closing owing, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, closing, failures 1, retry in 50, announces disconnected
connecting.dialing while closing owing, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, closing, failures 1, retry in 50, announces disconnected
connecting.dialing while closing owing, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
connecting.dialing while closing owing with time, after connectTimeout → disconnected.waiting, reason CONNECT_TIMEOUT, closing, failures 1, retry in 50, announces disconnected
connecting.dialing while closing owing of the last attempt, socket.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed, outbox settled DISPOSED
connecting.dialing while closing owing without backoff, socket.failed of this epoch → disposed, reason CONNECT_FAILED, announces disposed, outbox settled DISPOSED
connecting.greeting while closing owing, greeting.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, closing, failures 1, retry in 50, announces disconnected
connecting.greeting while closing owing, greeting.failed for good → disposed, reason NOT_A_PEER, announces disposed, outbox settled DISPOSED
connecting.greeting while closing owing, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, closing, failures 1, retry in 50, announces disconnected
connecting.greeting while closing owing, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, closing, failures 1, retry in 50, announces disconnected
connecting.greeting while closing owing, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
connecting.greeting while closing owing with time, after connectTimeout → disconnected.waiting, reason CONNECT_TIMEOUT, closing, failures 1, retry in 50, announces disconnected
connected.draining owing, socket.closed of this epoch → disconnected.waiting, reason CLOSED_BY_PEER, closing, failures 1, retry in 50, announces disconnected
connected.draining owing, socket.failed of this epoch → disconnected.waiting, reason CONNECT_FAILED, closing, failures 1, retry in 50, announces disconnected
connected.draining owing, socket.failed for good → disposed, reason CERTIFICATE, announces disposed, outbox settled DISPOSED
stale while closing owing, socket.closed of this epoch → disconnected.waiting, reason STALE, closing, failures 1, retry in 50, announces disconnected
stale while closing owing, socket.failed of this epoch → disconnected.waiting, reason STALE, closing, failures 1, retry in 50, announces disconnected
stale while closing owing, socket.failed for good → disconnected.waiting, reason STALE, closing, failures 1, retry in 50, announces disconnected
stale while closing owing, after discardTimeout → disconnected.waiting, reason STALE, closing, failures 1, retry in 50, announces disconnected

# the dead of older epochs: all of them in connection.epochs.test.ts
connecting.dialing after 2 failures, socket.failed of an older epoch → connecting.dialing, refused, announces nothing, socket 3 alive
connecting.greeting after 2 failures, greeting.passed of an older epoch → connecting.greeting, refused, announces nothing, socket 3 alive
`);
