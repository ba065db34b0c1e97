/**
 * The document of the `json` scenario, 1 KiB of JSON, and its validation by hand.
 *
 * When to reach for it: peers without a validation of their own check with `isOrder`; others say the same in theirs.
 * What it is not: anybody's schema. `orderSchema.ts` has it for Effect, `peers/fastify.ts` for Fastify.
 */

/** An order as it is posted and echoed. */
export interface Order {
  readonly id: number
  readonly placed: string
  readonly customer: { readonly name: string; readonly email: string; readonly vip: boolean }
  readonly address: {
    readonly street: string
    readonly city: string
    readonly zip: string
    readonly country: string
  }
  readonly items: ReadonlyArray<{
    readonly sku: string
    readonly title: string
    readonly quantity: number
    readonly price: number
  }>
  readonly tags: ReadonlyArray<string>
  readonly note: string
}

const items = [
  { sku: "KB-7731", title: "Mechanical keyboard, tenkeyless, brown switches", quantity: 1, price: 119.9 },
  { sku: "CB-0042", title: "USB-C cable, 2 m, braided", quantity: 3, price: 9.5 },
  { sku: "MN-2716", title: "Monitor, 27 inch, 2560x1440, matte", quantity: 2, price: 289 },
  { sku: "ST-1180", title: "Monitor stand, height adjustable", quantity: 2, price: 45.25 },
  { sku: "HS-0551", title: "Headset with noise cancelling microphone", quantity: 1, price: 79.99 }
]

const without: Order = {
  id: 184467,
  placed: "2026-11-24T09:30:00.000Z",
  customer: { name: "Ada Lovelace", email: "ada@analytical.example", vip: true },
  address: { street: "12 St James's Square", city: "London", zip: "SW1Y 4JH", country: "GB" },
  items,
  tags: ["express", "gift", "invoice-by-mail"],
  note: ""
}

const text = "Please ring twice. If nobody answers, leave the parcel with the neighbour on the second floor. "

/** The order of the scenario: as JSON, exactly 1024 bytes. */
export const order: Order = {
  ...without,
  note: text.repeat(10).slice(0, 1024 - JSON.stringify(without).length)
}

type Fields = Readonly<Record<string, unknown>>

const isRecord = (u: unknown): u is Fields => typeof u === "object" && u !== null && !Array.isArray(u)

const areTexts = (record: Fields, names: ReadonlyArray<string>): boolean => {
  for (const name of names) if (typeof record[name] !== "string") return false
  return true
}

const isItem = (u: unknown): boolean =>
  isRecord(u) && areTexts(u, ["sku", "title"]) && Number.isInteger(u["quantity"]) && (u["quantity"] as number) > 0 &&
  Number.isFinite(u["price"])

/** Tells whether a value is an order: what the schemas of other peers say, written by hand. */
export const isOrder = (u: unknown): u is Order =>
  isRecord(u) && Number.isInteger(u["id"]) && areTexts(u, ["placed", "note"]) &&
  isRecord(u["customer"]) && areTexts(u["customer"], ["name", "email"]) && u["customer"]["name"] !== "" &&
  typeof u["customer"]["vip"] === "boolean" &&
  isRecord(u["address"]) && areTexts(u["address"], ["street", "city", "zip", "country"]) &&
  Array.isArray(u["items"]) && u["items"].every(isItem) &&
  Array.isArray(u["tags"]) && u["tags"].every((tag) => typeof tag === "string")
