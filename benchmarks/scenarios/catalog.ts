/**
 * The document of the `compressed` scenario: what a page of a shop's catalogue gets, about 20 KiB of JSON.
 *
 * When to reach for it: every peer of that scenario answers with `catalog`.
 * What it is not: random. It compresses as such documents do.
 */
import { order } from "./order.ts"

/** The page. */
export const catalog = {
  page: 1,
  products: Array.from({ length: 120 }, (_, index) => {
    const { price, title } = order.items[index % order.items.length]!
    const number = String(index * 7919 % 10_000).padStart(4, "0")
    return {
      sku: `SKU-${number}`,
      title: `${title} (${number})`,
      price: price + index,
      stock: index * 31 % 97,
      tags: order.tags
    }
  })
}
