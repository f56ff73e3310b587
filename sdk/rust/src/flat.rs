//! Records and strings of the flat encoding. All offsets are checked once, by
//! [`View::table`] and [`View::text`] when an input is parsed; what is read
//! later was checked then.

/// The bytes of an input.
#[derive(Clone, Copy)]
pub(crate) struct View<'a>(pub &'a [u8]);

/// A table of records.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    at: usize,
    pub count: usize,
    stride: usize,
}

impl<'a> View<'a> {
    /// The number at a place that was checked.
    pub fn u32(self, at: usize) -> u32 {
        let b = &self.0[at..at + 4];
        u32::from_le_bytes([b[0], b[1], b[2], b[3]])
    }

    /// The string that the pair at a checked place refers to, unless it ends
    /// outside or is not UTF-8.
    pub fn checked(self, at: usize) -> Option<&'a str> {
        core::str::from_utf8(self.slice(self.u32(at), self.u32(at + 4), 1)?).ok()
    }

    /// The string that `checked` accepted.
    #[allow(unsafe_code)]
    pub fn text(self, at: usize) -> &'a str {
        match self.slice(self.u32(at), self.u32(at + 4), 1) {
            // SAFETY: Input::parse refused the input unless checked(at) was Some:
            // the same bytes, which nothing writes to while they are borrowed.
            Some(b) => unsafe { core::str::from_utf8_unchecked(b) },
            None => "",
        }
    }

    /// `count` pieces of `size` bytes from an offset on.
    pub fn slice(self, from: u32, count: u32, size: u32) -> Option<&'a [u8]> {
        if count == 0 {
            return Some(&[]);
        }
        let end = u64::from(from) + u64::from(count) * u64::from(size);
        if end > self.0.len() as u64 {
            return None;
        }
        self.0.get(from as usize..end as usize)
    }

    /// The table at a checked place, whose records are at least so long.
    pub fn table(self, at: usize, least: u32) -> Option<Table> {
        let (from, count, stride) = (self.u32(at), self.u32(at + 4), self.u32(at + 8));
        if count == 0 {
            return Some(Table { at: 0, count: 0, stride: 0 });
        }
        // Less than 2^64: two numbers of 32 bits, and a third.
        if stride < least || u64::from(from) + u64::from(count) * u64::from(stride) > self.0.len() as u64 {
            return None;
        }
        Some(Table { at: from as usize, count: count as usize, stride: stride as usize })
    }
}

impl Table {
    /// The place of a record.
    pub fn record(self, i: usize) -> usize {
        self.at + i * self.stride
    }
}
