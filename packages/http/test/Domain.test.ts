import { assert, describe, it } from "@effect/vitest"
import { Domain } from "@kore-fx/http"

describe("Domain.normalize", () => {
  it("drops port, final dot and case", () => {
    assert.strictEqual(Domain.normalize("A.Example.COM:8080"), "a.example.com")
    assert.strictEqual(Domain.normalize("example.com."), "example.com")
    assert.strictEqual(Domain.normalize("[::1]:80"), "[::1]")
    assert.strictEqual(Domain.normalize(""), "")
  })
})

describe("Domain.Hosts", () => {
  const hosts = new Domain.Hosts([
    ["*", "any"],
    ["*.com", "com"],
    ["*.example.com", "example"],
    ["a.example.com", "a"]
  ])

  it("prefers the exact name, then the longest wildcard, then *", () => {
    assert.strictEqual(hosts.find("A.example.com:80"), "a")
    assert.strictEqual(hosts.find("b.example.com"), "example")
    assert.strictEqual(hosts.find("c.b.example.com"), "example")
    assert.strictEqual(hosts.find("example.com"), "com")
    assert.strictEqual(hosts.find("localhost"), "any")
  })

  it("matches no bare suffix: a wildcard needs at least one label", () => {
    assert.isUndefined(new Domain.Hosts([["*.example.com", 1]]).find("example.com"))
    assert.isUndefined(new Domain.Hosts([["*.example.com", 1]]).find(".example.com"))
    assert.isUndefined(new Domain.Hosts([["*.example.com", 1]]).find("evilexample.com"))
  })

  it("needs no host when every host has the same answer", () => {
    assert.strictEqual(new Domain.Hosts([["*", 1]]).only, 1)
    assert.isUndefined(hosts.only)
  })

  it("remembers a bounded number of hosts", () => {
    for (let i = 0; i < 5000; i++) assert.strictEqual(hosts.find(`h${i}.example.com`), "example")
    assert.strictEqual(hosts.find("a.example.com"), "a")
  })
})
