//! Whole calls over the published vectors of the flat encoding.

use bartizan::{exec, Finding, Input, Kind, Output, Phase};

/// The inputs of sdk/abi/vectors/flat.json, whose other flat texts are answers.
fn vectors() -> Vec<Vec<u8>> {
    let file = include_str!("../../abi/vectors/flat.json");
    let inputs = file.split("\"manifest\"").next().unwrap();
    let hex = inputs.split("\"flat\": \"").skip(1).map(|s| s.split('"').next().unwrap());
    hex.map(|s| (0..s.len()).step_by(2).map(|i| u8::from_str_radix(&s[i..i + 2], 16).unwrap()).collect()).collect()
}

#[test]
fn reads() {
    let all = vectors();
    assert_eq!(all.len(), 2);
    assert!(Input::parse(&all[0]).unwrap().segments().next().is_none());
    let input = Input::parse(&all[1]).unwrap();
    assert_eq!((input.phase, input.server, input.entry), (Phase::Listing, "io.github.acme/weather", "forecast"));
    let s = input.segment(0).unwrap();
    assert_eq!((s.kind, s.item, s.pointer), (Kind::Description, 3, "/tools/3/description"));
    assert_eq!(s.text, "line one\n\"quoted\" é 😀 \\ \0");
    assert_eq!(input.segments().map(|s| s.provenance).collect::<Vec<_>>(), ["", "", "percent>base64", "hex"]);
    assert_eq!(input.hits().map(|h| (h.pattern, h.segment, h.start, h.end)).last(), Some((0, 2, 0, 7)));
    assert_eq!(input.flow().map(|f| (f.mark, f.server, f.entry, f.age)).last(), Some(("secret", "io.github.acme/mail", "read", 90)));
    let sent = input.context().next().unwrap();
    assert_eq!((sent.name, sent.parameters().collect::<Vec<_>>()), ("send", vec!["to", "body"]));
    assert!(input.segment(4).is_none());
}

#[test]
fn refuses_every_beginning() {
    for whole in vectors() {
        for end in 0..whole.len() {
            assert!(Input::parse(&whole[..end]).is_none());
        }
    }
}

#[test]
fn answers() {
    let mut out = Box::new(Output::new());
    let clean = exec(|_, _| (), &vectors()[1], &mut out).unwrap();
    assert_eq!((clean.len(), &clean[..12]), (40, &b"BTZO\x28\0\0\0\x01\0\0\0"[..]));
    // The limits of the first vector are one finding and one byte.
    let full = |_: &Input, out: &mut Output| assert!(!out.add(Finding { rule: "a.b", ..Finding::default() }));
    assert_eq!(exec(full, &vectors()[0], &mut out).unwrap().len(), 40);
    let many = |_: &Input, out: &mut Output| {
        let added = (0..300).filter(|_| out.add(Finding { rule: "a.b", confidence: 1.0, ..Finding::default() })).count();
        assert_eq!(added, 256);
    };
    let answer = exec(many, &vectors()[1], &mut out).unwrap();
    assert_eq!((answer[8], answer.len()), (2, 40 + 256 * 56 + 16 + 3)); // partial; the rule's id once
}
