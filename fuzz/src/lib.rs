//! Used by several targets.

/// `text` with some of its characters replaced.
pub fn edited(text: &str, edits: &[(usize, char)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (index, character) in edits {
        let index = index % characters.len();
        characters[index] = *character;
    }
    characters.into_iter().collect()
}
