# peer: semantic-kernel, semantic-kernel 1.45.0
"""What Semantic Kernel makes of prompts in YAML or ``skprompt.txt``: JSON in, JSON out."""

import asyncio
import json
import sys

import yaml
from semantic_kernel import Kernel
from semantic_kernel.contents.chat_history import ChatHistory
from semantic_kernel.functions import KernelArguments
from semantic_kernel.functions.kernel_function_from_prompt import TEMPLATE_FORMAT_MAP
from semantic_kernel.prompt_template.prompt_template_config import PromptTemplateConfig

KERNEL = Kernel()


async def messages(case):
    config = yaml.safe_load(case["text"]) if case["file"].endswith(".yaml") else {"template": case["text"]}
    try:
        made = PromptTemplateConfig(**config)
        template = TEMPLATE_FORMAT_MAP[made.template_format](prompt_template_config=made)
        rendered = await template.render(KERNEL, KernelArguments(**case["inputs"]))
        return [[m.role.value, m.content, None] for m in ChatHistory.from_rendered_prompt(rendered).messages]
    except Exception as error:
        return {"error": f"{type(error).__name__} {error}"}


async def main():
    json.dump([await messages(case) for case in json.load(sys.stdin)], sys.stdout)


asyncio.run(main())
