/// Draws items until there are so many of different keys; what repeats a key, or one used before, is drawn again.
///
/// - Parameters:
///   - used: keys that no item may have; those of the items join them.
///   - key: what makes two items the same.
///   - draw: makes an item, given how many there are already.
package func distinct<Item, Key: Hashable>(
    _ count: Int, without used: inout Set<Key>, by key: (Item) -> Key, _ draw: (Int) -> Item
) -> [Item] {
    var items: [Item] = []
    while items.count < count {
        let item = draw(items.count)
        if used.insert(key(item)).inserted { items.append(item) }
    }
    return items
}

/// Draws items until there are so many of different keys.
package func distinct<Item, Key: Hashable>(_ count: Int, by key: (Item) -> Key, _ draw: (Int) -> Item) -> [Item] {
    var used: Set<Key> = []
    return distinct(count, without: &used, by: key, draw)
}
