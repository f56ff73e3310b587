
// What follows is behind the example's source in one file: its entry as a plugin.
use extism_pdk::{plugin_fn, Error, FnResult};
use std::cell::RefCell;

thread_local!(static OUTPUT: RefCell<Output> = const { RefCell::new(Output::new()) });

#[plugin_fn]
pub fn plugin(input: Vec<u8>) -> FnResult<Vec<u8>> {
    OUTPUT.with(|out| match bartizan::exec(scan, &input, &mut out.borrow_mut()) {
        Some(answer) => Ok(answer.to_vec()),
        None => Err(Error::msg("no input").into()),
    })
}
