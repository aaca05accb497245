/// What runs inside pages: JavaScript functions, called with one string.
enum PageScripts {
    /// The centre of the first element at an XPath, scrolled into view.
    static let locate = """
        path => {
          \(first)
          node.scrollIntoView({block: 'center', inline: 'center'});
          const box = node.getBoundingClientRect();
          if (!box.width || !box.height || getComputedStyle(node).visibility !== 'visible') return {failure: 'invisible'};
          return {x: box.x + box.width / 2, y: box.y + box.height / 2};
        }
        """

    /// Picks the option at an XPath, as WebDriver does: the list opens outside the page, where no mouse event reaches it.
    static let select = """
        path => {
          \(first)
          const list = node.closest('select');
          if (node.tagName !== 'OPTION' || !list || node.disabled || list.disabled) return {failure: 'option'};
          list.focus();
          node.selected = list.multiple ? !node.selected : true;
          for (const name of ['input', 'change']) list.dispatchEvent(new Event(name, {bubbles: true}));
          return {};
        }
        """

    private static let first = """
        let node;
        try { node = document.evaluate(path, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue; }
        catch (error) { return {failure: 'malformed'}; }
        if (node && node.nodeType !== 1) node = node.parentElement;
        if (!node) return {failure: 'absent'};
        """

    /// The outer HTML of all elements that a selector names, with the state of forms in the attributes.
    static let snapshot = """
        selector => [...document.querySelectorAll(selector)].map(element => {
          const copy = element.cloneNode(true), own = e => [e, ...e.querySelectorAll('input, textarea, option')];
          const copies = own(copy);
          own(element).forEach((e, i) => {
            const c = copies[i];
            if (e.tagName === 'TEXTAREA') c.textContent = e.value;
            else if (e.tagName === 'OPTION') c.toggleAttribute('selected', e.selected);
            else if (e.tagName === 'INPUT') {
              if (e.type === 'checkbox' || e.type === 'radio') c.toggleAttribute('checked', e.checked);
              else if (e.value || c.hasAttribute('value')) c.setAttribute('value', e.value);
            }
          });
          return copy.outerHTML;
        }).join('\\n')
        """
}
