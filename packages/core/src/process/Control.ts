/**
 * What may be asked of a running server over its control socket.
 *
 * When to reach for it: `ControlServer` answers in the parent, `ControlClient` asks in `kore-fx ps`.
 * What it is not: open to anybody but the user who runs the server (`ControlDirectory`), or a way to change anything.
 *
 * A client sends one line of JSON, gets one line of JSON, and the connection is closed.
 */
import * as Schema from "effect/Schema"
import { FiberRow } from "./FiberRow.ts"

/** The version of this protocol; it changes when an old client could not read a new answer. */
export const version = 1 as const

/** The longest question in bytes. */
export const requestLimit = 4 * 1024

/** The longest answer in bytes. */
export const answerLimit = 64 * 1024 * 1024

// --- questions -------------------------------------------------------------------------------------------------------

/** Who are you, and what do your workers do? */
export const StatusRequest = Schema.TaggedStruct("Status", {})

/** Which fibers run in your workers? */
export const FibersRequest = Schema.TaggedStruct("Fibers", {})

/** Every question. */
export const Request = Schema.Union([StatusRequest, FibersRequest])

/** A question. */
export type Request = typeof Request.Type

// --- answers ---------------------------------------------------------------------------------------------------------

/** What every answer says, also those of later versions, so that any client can tell whom it met. */
const Envelope = {
  /** The version of the protocol. */
  protocol: Schema.Literal(version),
  /** The version of kore-fx. */
  version: Schema.String,
  /** The process id of the parent. */
  pid: Schema.Int
}

/** The state of a worker slot; `waiting`: a worker died, and another one is started later. */
export const WorkerState = Schema.Literals(["starting", "ready", "stopping", "waiting"])

/** The state of a worker slot. */
export type WorkerState = typeof WorkerState.Type

const workerFields = {
  /** Its number, from 1. */
  worker: Schema.Int,
  /** Its process; absent while there is none. */
  pid: Schema.optionalKey(Schema.Int),
  state: WorkerState,
  /** Milliseconds in this state. */
  since: Schema.Finite
}

/** One worker. */
export const WorkerStatus = Schema.Struct(workerFields)

/** One worker. */
export type WorkerStatus = typeof WorkerStatus.Type

/** One worker with its fibers. */
export const WorkerFibers = Schema.Struct({
  ...workerFields,
  /** The fibers, as many as fit into the answer. */
  fibers: Schema.Array(FiberRow),
  /** How many fibers there are. */
  total: Schema.Int,
  /** Why there are none: `does not answer` when its event loop is blocked, say. */
  problem: Schema.optionalKey(Schema.String)
})

/** One worker with its fibers. */
export type WorkerFibers = typeof WorkerFibers.Type

/** The server. */
export const Status = Schema.TaggedStruct("Status", {
  ...Envelope,
  /** The app's name. */
  name: Schema.String,
  /** The absolute path of the app's file; absent when there is none. */
  file: Schema.optionalKey(Schema.String),
  /** The words that the parent was started with. */
  argv: Schema.Array(Schema.String),
  /** The directory that it was started in. */
  cwd: Schema.String,
  /** Milliseconds since its start. */
  uptime: Schema.Finite,
  /** The servers, with their addresses as text. */
  servers: Schema.Array(Schema.Struct({ name: Schema.String, address: Schema.String })),
  workers: Schema.Array(WorkerStatus)
})

/** The server. */
export type Status = typeof Status.Type

/** The fibers of all workers. */
export const Fibers = Schema.TaggedStruct("Fibers", { ...Envelope, workers: Schema.Array(WorkerFibers) })

/** The fibers of all workers. */
export type Fibers = typeof Fibers.Type

/** The question was not understood. */
export const Refused = Schema.TaggedStruct("Refused", { ...Envelope, reason: Schema.String })

/** The question was not understood. */
export type Refused = typeof Refused.Type

/** Every answer. */
export const Answer = Schema.Union([Status, Fibers, Refused])

/** An answer. */
export type Answer = typeof Answer.Type
