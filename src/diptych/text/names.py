"""The names that people give to the speakers of a prompt, by role: of prompt galleries of 2020-2026, many languages."""

from __future__ import annotations

from typing import Final

#: The formats whose turns any speaker's name opens, in any frame.
LABELLED: Final = ("transcript", "few-shot")

#: Names that say by themselves that a person and a model talk.
_PEOPLE: Final = (
    "user", "human", "prompter", "用户", "用戶", "使用者", "人类", "人類", "ユーザー", "ユーザ", "사용자", "유저",
    "пользователь", "человек", "користувач", "utilisateur", "benutzer", "nutzer", "mensch", "usuario", "usuário",
    "utente", "gebruiker", "användare", "bruger", "bruker", "käyttäjä", "użytkownik", "uživatel", "používateľ",
    "utilizator", "felhasználó", "kullanıcı", "χρήστης", "المستخدم", "مستخدم", "משתמש", "کاربر", "उपयोगकर्ता",
    "ব্যবহারকারী", "ผู้ใช้", "người dùng", "pengguna", "корисник", "korisnik", "потребител", "usuari",
)  # fmt: skip
_MODELS: Final = (
    "assistant", "ai", "bot", "chatbot", "gpt", "chatgpt", "gpt-3", "gpt-4", "claude", "gemini", "llm", "copilot",
    "assistant bot", "ai assistant", "ai bot", "virtual assistant", "ki", "ia", "ии", "ші", "助手", "助理", "人工智能",
    "机器人", "機器人", "アシスタント", "어시스턴트", "챗봇", "ассистент", "помощник", "бот", "асистент", "помічник",
    "assistent", "asistente", "assistente", "avustaja", "asystent", "asistent", "asszisztens", "asistan", "βοηθός",
    "المساعد", "مساعد", "עוזר", "دستیار", "सहायक", "সহকারী", "ผู้ช่วย", "trợ lý", "asisten", "помоћник",
    "ai助手", "pembantu", "assistant ia",
)  # fmt: skip
#: Names of people who ask, and of those who answer them, which records and glossaries hold, too.
_ASKERS: Final = (
    "you", "me", "customer", "client", "student", "patient", "visitor", "guest", "caller", "interviewer", "person",
    "客户", "客戶", "顾客", "kunde", "cliente", "клиент",
)  # fmt: skip
_HELPERS: Final = (
    "agent", "support", "tutor", "teacher", "doctor", "advisor", "helper", "model", "客服",
)  # fmt: skip
#: Labels of examples rather than of a talk.
_QUESTIONS: Final = (
    "q", "question", "query", "instruction", "prompt", "问", "問", "问题", "問題", "質問", "질문", "вопрос",
    "питання", "frage", "pregunta", "pergunta", "domanda", "vraag", "fråga", "spørgsmål", "spørsmål", "kysymys",
    "pytanie", "otázka", "întrebare", "kérdés", "soru", "ερώτηση", "سؤال", "سوال", "שאלה", "प्रश्न", "প্রশ্ন",
    "คำถาม", "câu hỏi", "pertanyaan",
)  # fmt: skip
_ANSWERS: Final = (
    "a", "answer", "response", "答", "回答", "答案", "答复", "답변", "답", "ответ", "відповідь", "réponse", "antwort",
    "respuesta", "resposta", "risposta", "antwoord", "svar", "vastaus", "odpowiedź", "odpověď", "răspuns", "válasz",
    "cevap", "yanıt", "απάντηση", "جواب", "إجابة", "الجواب", "תשובה", "پاسخ", "उत्तर", "উত্তর", "คำตอบ",
    "trả lời", "câu trả lời", "jawaban",
)  # fmt: skip
_SYSTEM: Final = ("system", "系统", "系統", "システム", "시스템", "система", "sistema", "système", "systeem", "sistem")

#: Role by name, casefolded.
KNOWN: Final[dict[str, str]] = {
    **dict.fromkeys(map(str.casefold, (*_PEOPLE, *_ASKERS, *_QUESTIONS)), "user"),
    **dict.fromkeys(map(str.casefold, (*_MODELS, *_HELPERS, *_ANSWERS)), "assistant"),
    **dict.fromkeys(_SYSTEM, "system"),
    "tool": "tool",
}
EXAMPLES: Final = frozenset(map(str.casefold, (*_QUESTIONS, *_ANSWERS)))
#: Names that nothing but a talk holds.
TALKERS: Final = frozenset(map(str.casefold, (*_PEOPLE, *_MODELS)))
#: Those with which a text that has no other begins a talk.
OPENING: Final = frozenset({"user", "human"})
