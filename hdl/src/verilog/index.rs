//! Integer expressions over loop variables, as they stand in array brackets.

/// Evaluates `text` (`+ - * / %`, parentheses, decimal numbers, loop variables).
/// `None` if it is anything else, overflows, or divides by zero.
pub(super) fn evaluate(text: &str, loops: &[(String, usize)]) -> Option<i64> {
    let mut parser = Parser { rest: text.trim(), loops };
    let value = parser.sum()?;
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
    loops: &'a [(String, usize)],
}

impl Parser<'_> {
    fn take(&mut self, symbol: char) -> bool {
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<i64> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value = value.checked_add(self.product()?)?;
            } else if self.take('-') {
                value = value.checked_sub(self.product()?)?;
            } else {
                return Some(value);
            }
        }
    }

    fn product(&mut self) -> Option<i64> {
        let mut value = self.atom()?;
        loop {
            if self.take('*') {
                value = value.checked_mul(self.atom()?)?;
            } else if self.take('/') {
                value = value.checked_div(self.atom()?)?;
            } else if self.take('%') {
                value = value.checked_rem(self.atom()?)?;
            } else {
                return Some(value);
            }
        }
    }

    fn atom(&mut self) -> Option<i64> {
        if self.take('(') {
            let value = self.sum()?;
            return self.take(')').then_some(value);
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        // The innermost loop shadows those around it.
        let variable = self.loops.iter().rev().find(|(name, _)| name == word);
        match variable {
            Some((_, value)) => i64::try_from(*value).ok(),
            None => word.trim_end_matches("usize").replace('_', "").parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_follows_the_usual_precedence() {
        let loops = [("i".to_owned(), 9), ("j".to_owned(), 2), ("i".to_owned(), 5)];
        for (text, value) in [
            ("3", 3),
            ("i", 5),
            (" 2*i + 1 ", 11),
            ("2*(i+1)", 12),
            ("((i+1))", 6),
            ("i-j-1", 2),
            ("i%2+7/2", 4),
            ("4_000usize", 4000),
            ("1-i", -4),
        ] {
            assert_eq!(evaluate(text, &loops), Some(value), "{text}");
        }
        for text in ["", "k", "i+", "(i", "i)", "i i", "1/0", "a.b", "9223372036854775807+1"] {
            assert_eq!(evaluate(text, &loops), None, "{text}");
        }
    }
}
