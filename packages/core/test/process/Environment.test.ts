import { assert, describe, it } from "@effect/vitest"
import * as Environment from "../../src/process/Environment.ts"

const told: Environment.Environment = {
  worker: 3,
  parent: 42,
  listeners: [
    { name: "main", address: { _tag: "Tcp", host: "::1", port: 80, tls: true }, descriptor: 4 },
    { name: "admin", address: { _tag: "Unix", path: "/run/\"é\n.sock", tls: false }, descriptor: 5 }
  ]
}

describe("what a worker is told", () => {
  it("reads back, once, and is gone for the processes it starts", () => {
    const env: NodeJS.ProcessEnv = { PATH: "/bin", ...Environment.encode(told) }
    assert.deepStrictEqual(Environment.take(env), told)
    assert.deepStrictEqual(env, { PATH: "/bin" })
    assert.isUndefined(Environment.take(env))
  })

  it("is nothing in a process that was started by hand", () => {
    assert.isUndefined(Environment.take({ PATH: "/bin" }))
  })

  it("is nothing when it makes no sense", () => {
    const env: Record<string, string> = { ...Environment.encode(told), KORE_FX_LISTENERS: "4" }
    assert.isUndefined(Environment.take(env))
    assert.deepStrictEqual(env, {})
  })
})
