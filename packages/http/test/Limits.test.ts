import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Limits from "../src/Limits.ts"

describe("one address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:0::/64"],
    ["2001:DB8:0:1::", "2001:db8:0:1::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["1:2:3:4:5:6:192.0.2.1", "1:2:3:4::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"]
  ])("%s counts as %s", (address, key) => {
    assert.strictEqual(Limits.keyOf(address), key)
  })

  const Groups = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xff_ff })))
    .check(Schema.isMinLength(8), Schema.isMaxLength(8))

  it.effect.prop("of IPv6 is its first 64 bits, however it is written and whatever follows", {
    groups: Groups,
    zeros: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 })),
    length: Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 8 }))
  }, ({ groups, length, zeros }) =>
    Effect.sync(() => {
      const all = groups.map((group, index) => index >= zeros && index < zeros + length ? 0 : group)
      const text = all.map((group) => group.toString(16))
      const end = Math.min(8, zeros + length)
      const short = `${text.slice(0, zeros).join(":")}::${text.slice(end).join(":")}`
      const expected = `${text.slice(0, 4).join(":")}::/64`
      assert.strictEqual(Limits.keyOf(text.join(":")), expected)
      assert.strictEqual(Limits.keyOf(short), expected)
      assert.strictEqual(Limits.keyOf(text.map((group) => group.padStart(4, "0").toUpperCase()).join(":")), expected)
    }))
})

describe("the counts", () => {
  it("forget an address with its last connection, and have none for UNIX sockets", () => {
    const addresses = Limits.make({ connections: 1, requests: 0 })!
    const one = addresses.enter("192.0.2.1")!
    assert.isFalse(one.hasTooManyConnections)
    assert.strictEqual(addresses.enter("::ffff:192.0.2.1"), one)
    assert.isTrue(one.hasTooManyConnections)
    assert.isFalse(one.isFlooding)
    assert.isFalse(addresses.enter("192.0.2.2")!.hasTooManyConnections)
    assert.isUndefined(addresses.enter(undefined))
    assert.strictEqual(addresses.size, 2)
    addresses.leave(one)
    assert.isFalse(one.hasTooManyConnections)
    addresses.leave(one)
    assert.strictEqual(addresses.size, 1)
  })

  it("do not exist where there is no limit", () => {
    assert.isUndefined(Limits.make({ connections: 0, requests: 0 }))
  })
})
