//! The message that a scanner is given.

use crate::flat::{Table, View};

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum $name { $($variant = $number),* }
        impl $name {
            fn of(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

numbered!(
    /// Which traffic the message is.
    Phase { Listing = 1, Request = 2, Result = 3, Prompt = 4, Resource = 5 }
);
numbered!(
    /// Who calls, or gets the answer.
    Caller { Unknown = 0, User = 1, Agent = 2, Service = 3 }
);
numbered!(
    /// What a text is (sdk/abi/ABI.md, "Input").
    Kind {
        Other = 0, Name = 1, Title = 2, Description = 3, Instructions = 4, Parameter = 5, SchemaTitle = 6,
        SchemaDescription = 7, SchemaValue = 8, Annotation = 9, Meta = 10, Uri = 11, Argument = 12,
        ArgumentName = 13, Text = 14, Structured = 15, Error = 16, Mime = 17, ServerInfo = 18,
    }
);

/// One message, or one window of a long one.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Which traffic it is.
    pub phase: Phase,
    /// Who calls.
    pub caller: Caller,
    /// Name of the MCP server.
    pub server: &'a str,
    /// Tool, prompt or resource; empty for a whole listing.
    pub entry: &'a str,
    /// Bounds of the answer, which [`Output`](crate::Output) keeps.
    pub limits: Limits,
    view: View<'a>,
    segments: Table,
    hits: Table,
    flow: Table,
    context: Table,
}

/// Bounds of the answer; 0 is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Number of findings.
    pub findings: u32,
    /// Bytes of the encoded answer.
    pub bytes: u32,
}

/// One text of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// What the text is.
    pub kind: Kind,
    /// Which entry of a listing it belongs to.
    pub item: u32,
    /// JSON Pointer of the text in the message.
    pub pointer: &'a str,
    /// The text.
    pub text: &'a str,
    /// Empty as sent, else how the host decoded it, such as "base64".
    pub provenance: &'a str,
}

/// A match of one of the manifest's patterns: a range of bytes in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Hit {
    pub pattern: usize,
    pub segment: usize,
    pub start: usize,
    pub end: usize,
}

/// A marked range of an earlier message that occurs in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Flow<'a> {
    pub mark: &'a str,
    pub segment: usize,
    pub start: usize,
    pub end: usize,
    /// The server that it came from.
    pub server: &'a str,
    /// The tool, prompt or resource that it came from.
    pub entry: &'a str,
    /// Seconds since it was marked.
    pub age: u32,
}

/// An entry of another server that the same model sees.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Context<'a> {
    pub server: &'a str,
    pub kind: &'a str,
    pub name: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    view: View<'a>,
    parameters: (usize, usize),
}

impl<'a> Context<'a> {
    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'a str> {
        let (view, (at, count)) = (self.view, self.parameters);
        (0..count).map(move |i| view.text(at + 8 * i))
    }
}

const HEADER: usize = 88;

impl<'a> Input<'a> {
    /// Reads an input in the flat encoding; `None` if it is none.
    pub fn parse(bytes: &'a [u8]) -> Option<Input<'a>> {
        let view = View(bytes);
        if bytes.len() < HEADER || &bytes[..4] != b"BTZI" {
            return None;
        }
        let header = view.u32(4) as usize;
        if header < HEADER || header > bytes.len() || view.u32(8) as usize != bytes.len() {
            return None;
        }
        let input = Input {
            phase: Phase::of(bytes[12].into())?,
            caller: Caller::of(bytes[13].into()).unwrap_or(Caller::Unknown), // of a later version
            server: view.checked(16)?,
            entry: view.checked(24)?,
            limits: Limits { findings: view.u32(32), bytes: view.u32(36) },
            view,
            segments: view.table(40, 32)?,
            hits: view.table(52, 16)?,
            flow: view.table(64, 40)?,
            context: view.table(76, 48)?,
        };
        for (table, strings) in [(input.segments, 8..32), (input.flow, 16..40), (input.context, 0..40)] {
            for i in 0..table.count {
                for at in strings.clone().step_by(8) {
                    view.checked(table.record(i) + at)?;
                }
            }
        }
        for i in 0..input.context.count {
            let at = input.context.record(i);
            let (from, count) = (view.u32(at + 40), view.u32(at + 44));
            view.slice(from, count, 8)?;
            for n in 0..count as usize {
                view.checked(from as usize + 8 * n)?;
            }
        }
        Some(input)
    }

    /// Every text of the message, in order. Findings name them by their place.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = Segment<'a>> {
        let (v, table) = (self.view, self.segments);
        (0..table.count).map(move |i| {
            let at = table.record(i);
            Segment {
                kind: Kind::of(v.u32(at)).unwrap_or(Kind::Other),
                item: v.u32(at + 4),
                pointer: v.text(at + 8),
                text: v.text(at + 16),
                provenance: v.text(at + 24),
            }
        })
    }

    /// One of the segments.
    pub fn segment(&self, i: usize) -> Option<Segment<'a>> {
        self.segments().nth(i)
    }

    /// Where the manifest's patterns match, in order of the segments.
    pub fn hits(&self) -> impl ExactSizeIterator<Item = Hit> + 'a {
        let (v, table) = (self.view, self.hits);
        (0..table.count).map(move |i| {
            let at = table.record(i);
            let number = |field| v.u32(at + field) as usize;
            Hit { pattern: number(0), segment: number(4), start: number(8), end: number(12) }
        })
    }

    /// What earlier messages left behind in this one.
    pub fn flow(&self) -> impl ExactSizeIterator<Item = Flow<'a>> {
        let (v, table) = (self.view, self.flow);
        (0..table.count).map(move |i| {
            let at = table.record(i);
            Flow {
                mark: v.text(at + 16),
                segment: v.u32(at) as usize,
                start: v.u32(at + 4) as usize,
                end: v.u32(at + 8) as usize,
                server: v.text(at + 24),
                entry: v.text(at + 32),
                age: v.u32(at + 12),
            }
        })
    }

    /// Entries of other servers.
    pub fn context(&self) -> impl ExactSizeIterator<Item = Context<'a>> {
        let (v, table) = (self.view, self.context);
        (0..table.count).map(move |i| {
            let at = table.record(i);
            Context {
                server: v.text(at),
                kind: v.text(at + 8),
                name: v.text(at + 16),
                title: v.text(at + 24),
                description: v.text(at + 32),
                view: v,
                parameters: (v.u32(at + 40) as usize, v.u32(at + 44) as usize),
            }
        })
    }
}
