/**
 * What a worker is told when it starts: that it is one, who its parent is, what it listens on.
 *
 * When to reach for it: the parent writes it when it starts a worker, and the worker reads it once.
 * What it is not: configuration. These variables are nobody's to set, and a worker's own children do not see them.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Listener from "../Listener.ts"

/** The descriptor of the channel to the parent. */
export const channelDescriptor = 3

/** The descriptor of the first listening socket; the others follow. */
export const firstListener = 4

const Address = Schema.Union([
  Schema.TaggedStruct("Tcp", { host: Schema.String, port: Schema.Int, tls: Schema.Boolean }),
  Schema.TaggedStruct("Unix", { path: Schema.String, tls: Schema.Boolean })
])

/** What a worker is told. */
export interface Environment {
  /** Its id, from 1. */
  readonly worker: number
  /** The process id of its parent. */
  readonly parent: number
  /** The listening sockets, with the descriptors that they have in the worker. */
  readonly listeners: ReadonlyArray<Listener.Bound>
}

const Listeners = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ name: Schema.String, address: Address, descriptor: Schema.Int }))
)

const Variables = Schema.Struct({
  KORE_FX_WORKER: Schema.FiniteFromString,
  KORE_FX_PARENT: Schema.FiniteFromString,
  KORE_FX_LISTENERS: Listeners
})

const variables = ["KORE_FX_WORKER", "KORE_FX_PARENT", "KORE_FX_LISTENERS"] as const

/** A listening socket as a worker inherits it, the `index`th of all. */
export const inherited = (bound: Listener.Bound, index: number): Listener.Bound => ({
  name: bound.name,
  address: bound.address,
  descriptor: firstListener + index
})

/** The environment variables that tell it. */
export const encode = ({ listeners, parent, worker }: Environment): Readonly<Record<string, string>> =>
  Schema.encodeSync(Variables)({ KORE_FX_WORKER: worker, KORE_FX_PARENT: parent, KORE_FX_LISTENERS: listeners })

/**
 * Reads what this process was told and removes it from the environment, so that no process it starts believes to be a
 * worker; undefined when it is none.
 */
export const take = (env: NodeJS.ProcessEnv): Environment | undefined => {
  const told = Option.getOrUndefined(Schema.decodeUnknownOption(Variables)(env))
  for (const name of variables) delete env[name]
  return told && { worker: told.KORE_FX_WORKER, parent: told.KORE_FX_PARENT, listeners: told.KORE_FX_LISTENERS }
}
