/** The transition table of a peer, every row of it. */
import { rows } from './sentence.js';

export const peerRows = rows(`
connected.unproven, socket.heard → connected.live, proven, announces live
connected.unproven, close → connected.draining, closing, drains, announces nothing
connected.unproven, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.unproven, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.unproven, after silence heard → connected.unproven, listens anew, announces nothing
connected.unproven, after silence unheard → stale, reason STALE, announces stale, discarded
connected.unproven, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.live, close → connected.draining, closing, drains, announces nothing
connected.live, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.live, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.live, after silence heard → connected.live, listens anew, announces nothing
connected.live, after silence unheard → stale, reason STALE, announces stale, discarded
connected.live, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.draining, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.draining, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.draining, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed, outbox settled
connected.draining with time, after silence heard → connected.draining, listens anew, announces nothing
connected.draining with time, after silence unheard → stale, reason STALE, closing, announces stale, discarded
connected.draining, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

stale, socket.closed → disposed, reason STALE, announces disposed, outbox settled
stale, socket.failed → disposed, reason STALE, announces disposed, outbox settled
stale, after discardTimeout → disposed, reason STALE, announces disposed, outbox settled
stale, close → stale, closing, announces nothing
stale while closing, close → stale, closing, announces nothing
stale, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

# with a session a lost line is no end
connected.unproven with a session, socket.heard → connected.live, proven, announces live
connected.unproven with a session, close → connected.draining, closing, drains, announces nothing
connected.unproven with a session, socket.closed → detached.waiting, reason DISPOSED, announces detached
connected.unproven with a session, socket.failed → detached.waiting, reason RESET, announces detached
connected.unproven with a session, session.attached → connected.unproven, epoch 2, announces nothing, gate open
connected.unproven with a session, session.ended closed → connected.unproven, over, announces nothing
connected.unproven with a session, session.ended lost → disposed, over, reason SESSION_LOST, announces disposed, outbox settled
connected.unproven with a session, after silence heard → connected.unproven, listens anew, announces nothing
connected.unproven with a session, after silence unheard → stale, reason STALE, announces stale, discarded
connected.unproven with a session, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.live with a session, close → connected.draining, closing, drains, announces nothing
connected.live with a session, socket.closed → detached.waiting, reason DISPOSED, announces detached
connected.live with a session, socket.failed → detached.waiting, reason RESET, announces detached
connected.live with a session, session.attached → connected.unproven, epoch 2, unproven, announces nothing, gate open
connected.live with a session, session.ended closed → connected.live, over, announces nothing
connected.live with a session, session.ended lost → disposed, over, reason SESSION_LOST, announces disposed, outbox settled
connected.live with a session, after silence heard → connected.live, listens anew, announces nothing
connected.live with a session, after silence unheard → stale, reason STALE, announces stale, discarded
connected.live with a session, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

connected.draining with a session, socket.closed → detached.draining, reason DISPOSED, closing, announces detached
connected.draining with a session, socket.failed → detached.draining, reason RESET, closing, announces detached
connected.draining with a session, session.attached → connected.draining, epoch 2, closing, drains, announces nothing, gate open
connected.draining with a session, session.ended closed → connected.draining, over, closing, announces nothing
connected.draining with a session that is over, socket.closed → disposed, reason DISPOSED, announces disposed, outbox settled
connected.draining with a session that is over, socket.failed → disposed, reason RESET, announces disposed, outbox settled
connected.draining with a session, session.ended lost → disposed, over, reason SESSION_LOST, announces disposed, outbox settled
connected.draining with a session, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed, outbox settled
connected.draining with a session and time, after silence heard → connected.draining, listens anew, announces nothing
connected.draining with a session and time, after silence unheard → stale, reason STALE, closing, announces stale, discarded
connected.draining with a session, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

stale with a session, socket.closed → detached.waiting, reason STALE, announces detached
stale with a session, socket.failed → detached.waiting, reason STALE, announces detached
stale with a session, after discardTimeout → detached.waiting, reason STALE, announces detached
stale with a session, session.attached → connected.unproven, epoch 2, unproven, announces nothing, gate open
stale with a session, session.ended closed → stale, over, announces nothing
stale with a session, session.ended lost → stale, over, reason SESSION_LOST, announces nothing
stale with a session, close → stale, closing, announces nothing
stale with a session, dispose → disposed, reason DISPOSED, announces disposed, outbox settled
stale with a session that is over, socket.closed → disposed, reason SESSION_LOST, announces disposed, outbox settled
stale with a session that is over, socket.failed → disposed, reason SESSION_LOST, announces disposed, outbox settled
stale with a session that is over, after discardTimeout → disposed, reason SESSION_LOST, announces disposed, outbox settled
stale with a session while closing, socket.closed → detached.draining, reason STALE, closing, announces detached
stale with a session while closing, socket.failed → detached.draining, reason STALE, closing, announces detached
stale with a session while closing, after discardTimeout → detached.draining, reason STALE, closing, announces detached
stale with a session while closing, session.attached → connected.draining, epoch 2, closing, drains, announces nothing, gate open

detached.waiting, session.attached → connected.unproven, epoch 2, unproven, announces nothing, gate open
detached.waiting, session.ended closed → disposed, over, reason DISPOSED, announces disposed, outbox settled
detached.waiting, session.ended lost → disposed, over, reason SESSION_LOST, announces disposed, outbox settled
detached.waiting, close → detached.draining, closing, announces nothing
detached.waiting, dispose → disposed, reason DISPOSED, announces disposed, outbox settled
detached.draining, session.attached → connected.draining, epoch 2, closing, drains, announces nothing, gate open
detached.draining, session.ended closed → disposed, over, reason DISPOSED, announces disposed, outbox settled
detached.draining, session.ended lost → disposed, over, reason SESSION_LOST, announces disposed, outbox settled
detached.draining, after drainTimeout → disposed, reason DRAIN_TIMEOUT, announces disposed, outbox settled
detached.draining, dispose → disposed, reason DISPOSED, announces disposed, outbox settled

# the dead of older epochs
connected.unproven for the second time, socket.heard of an older epoch → connected.unproven, refused, announces nothing
connected.live for the second time, socket.closed of an older epoch → connected.live, refused, announces nothing
`);
