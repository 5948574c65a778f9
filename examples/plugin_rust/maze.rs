//! The maze of ../plugin_c in Rust, with nothing but the standard library: find the exit from a
//! random place. See README.md for how to build it and train on it.
//!
//! The types below are those of gorila_env.h, field by field. A panic must not leave a function of
//! the table (recent compilers end the process at one), so functions give codes instead.

use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_void};

const ABI: u32 = 1;
const UINT8: i32 = 0;
const LAYOUT_CHW: i32 = 2;

#[repr(C)]
pub struct Spec {
    struct_size: u32,
    num_dimensions: i32,
    shape: [i32; 3],
    element: i32,
    layout: i32,
    num_actions: i32,
}

#[repr(C)]
pub struct StepResult {
    reward: f64,
    terminated: u8,
    truncated: u8,
    reserved: [u8; 6],
}

#[repr(C)]
pub struct Error {
    text: [c_char; 256],
}

// Functions that this plug-in does not have are pointers that are null.
#[repr(C)]
pub struct Api {
    struct_size: u32,
    abi: u32,
    name: *const c_char,
    version: *const c_char,
    flags: u64,
    spec: extern "C" fn(*const c_char, *mut Spec, *mut Error) -> c_int,
    create: extern "C" fn(*const c_char, *mut *mut Maze, *mut Error) -> c_int,
    destroy: extern "C" fn(*mut Maze),
    reset: extern "C" fn(*mut Maze, u64, *mut u8, *mut Error) -> c_int,
    step: extern "C" fn(*mut Maze, i32, *mut u8, *mut StepResult, *mut Error) -> c_int,
    step_many: *const c_void,
    state_size: *const c_void,
    state_save: *const c_void,
    state_restore: *const c_void,
    render: *const c_void,
    action_name: extern "C" fn(*const Maze, i32) -> *const c_char,
}

// Its pointers are to constants.
unsafe impl Sync for Api {}

const SIZE: usize = 9;
const PLANES: usize = 3; // walls, exit, player
const MAZE: [&[u8; SIZE]; SIZE] = [
    b"#########",
    b"#   #   #",
    b"# # # # #",
    b"# #   # #",
    b"# ##### #",
    b"#       #",
    b"### # ###",
    b"#   #  E#",
    b"#########",
];
const MOVES: [(isize, isize); 4] = [(-1, 0), (1, 0), (0, -1), (0, 1)];
const ACTION_NAMES: [&[u8]; 4] = [b"up\0", b"down\0", b"left\0", b"right\0"];

pub struct Maze {
    max_steps: u64, // an option
    random: u64,
    row: usize,
    column: usize,
    steps: u64,
}

impl Maze {
    /// splitmix64.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }

    fn begin(&mut self, seed: u64) {
        self.random = seed;
        self.steps = 0;
        loop {
            self.row = (self.next_random() % SIZE as u64) as usize;
            self.column = (self.next_random() % SIZE as u64) as usize;
            if MAZE[self.row][self.column] == b' ' {
                return;
            }
        }
    }

    fn walk(&mut self, action: usize) -> StepResult {
        // Walls all round: never out of the maze.
        let row = (self.row as isize + MOVES[action].0) as usize;
        let column = (self.column as isize + MOVES[action].1) as usize;
        if MAZE[row][column] != b'#' {
            self.row = row;
            self.column = column;
        }
        self.steps += 1;
        let found = MAZE[self.row][self.column] == b'E';
        StepResult {
            reward: if found { 1.0 } else { -0.01 },
            terminated: found as u8,
            truncated: (self.steps >= self.max_steps) as u8, // a limit, not an end of the game
            reserved: [0; 6],
        }
    }

    fn observe(&self, planes: &mut [u8]) {
        let (walls, rest) = planes.split_at_mut(SIZE * SIZE);
        let (exit, player) = rest.split_at_mut(SIZE * SIZE);
        for at in 0..SIZE * SIZE {
            let cell = MAZE[at / SIZE][at % SIZE];
            walls[at] = (cell == b'#') as u8;
            exit[at] = (cell == b'E') as u8;
            player[at] = (at == self.row * SIZE + self.column) as u8;
        }
    }
}

/// The option "max_steps" of {"max_steps": 100}. A JSON crate is the better choice for more.
fn max_steps(options: &CStr) -> Result<u64, &'static str> {
    const KEY: &str = "\"max_steps\"";
    let text = options.to_str().map_err(|_| "the options are not UTF-8")?;
    let at = match text.find(KEY) {
        Some(at) => at,
        None => return Ok(100),
    };
    let value = text[at + KEY.len()..].trim_start_matches(|c: char| c == ':' || c.is_whitespace());
    let digits = value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("");
    match digits.parse() {
        Ok(steps) if (1..=1_000_000).contains(&steps) => Ok(steps),
        _ => Err("max_steps must be a number from 1 to 1000000"),
    }
}

fn fail(error: *mut Error, text: &str) -> c_int {
    let error = unsafe { &mut *error };
    for (to, from) in error.text[..255].iter_mut().zip(text.bytes().chain([0])) {
        *to = from as c_char;
    }
    1
}

extern "C" fn spec(options: *const c_char, spec: *mut Spec, error: *mut Error) -> c_int {
    let spec = unsafe { &mut *spec };
    spec.num_dimensions = 3;
    spec.shape = [PLANES as i32, SIZE as i32, SIZE as i32];
    spec.element = UINT8;
    spec.layout = LAYOUT_CHW;
    spec.num_actions = MOVES.len() as i32;
    match max_steps(unsafe { CStr::from_ptr(options) }) {
        Ok(_) => 0,
        Err(text) => fail(error, text),
    }
}

extern "C" fn create(options: *const c_char, env: *mut *mut Maze, error: *mut Error) -> c_int {
    match max_steps(unsafe { CStr::from_ptr(options) }) {
        Ok(max_steps) => {
            let maze = Maze { max_steps, random: 0, row: 1, column: 1, steps: 0 };
            unsafe { *env = Box::into_raw(Box::new(maze)) };
            0
        }
        Err(text) => fail(error, text),
    }
}

extern "C" fn destroy(env: *mut Maze) {
    drop(unsafe { Box::from_raw(env) });
}

fn planes<'a>(observation: *mut u8) -> &'a mut [u8] {
    unsafe { std::slice::from_raw_parts_mut(observation, PLANES * SIZE * SIZE) }
}

extern "C" fn reset(env: *mut Maze, seed: u64, observation: *mut u8, _: *mut Error) -> c_int {
    let maze = unsafe { &mut *env };
    maze.begin(seed);
    maze.observe(planes(observation));
    0
}

extern "C" fn step(
    env: *mut Maze,
    action: i32,
    observation: *mut u8,
    result: *mut StepResult,
    _: *mut Error,
) -> c_int {
    let maze = unsafe { &mut *env };
    unsafe { *result = maze.walk(action as usize) };
    maze.observe(planes(observation));
    0
}

extern "C" fn action_name(_: *const Maze, action: i32) -> *const c_char {
    ACTION_NAMES[action as usize].as_ptr() as *const c_char
}

static API: Api = Api {
    struct_size: std::mem::size_of::<Api>() as u32,
    abi: ABI,
    name: b"maze\0".as_ptr() as *const c_char,
    version: b"1.0\0".as_ptr() as *const c_char,
    flags: 0,
    spec,
    create,
    destroy,
    reset,
    step,
    step_many: std::ptr::null(),
    state_size: std::ptr::null(),
    state_save: std::ptr::null(),
    state_restore: std::ptr::null(),
    render: std::ptr::null(),
    action_name,
};

#[no_mangle]
pub extern "C" fn gorila_env_get_api(abi: u32) -> *const Api {
    if abi == ABI { &API } else { std::ptr::null() }
}
