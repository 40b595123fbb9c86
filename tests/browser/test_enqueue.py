"""agent-scheduler's Enqueue button. Skipped where it is not installed."""

from __future__ import annotations

from tests.browser.fields import require
from tests.browser.page import Page
from tests.contract.test_agent_scheduler import free
from tests.contract.webui import WebUI


def test_each_press_of_enqueue_is_a_run_named_by_its_task(page: Page, host: WebUI) -> None:
    button = require(page, "#txt2img_enqueue")
    free(host)
    before = host.run_ids()
    page.fill("txt2img", "a harbour in the queue", batch_size=2)
    for _ in range(2):
        button.click()
        page.tab.wait_for_timeout(3000)
    for _ in range(100):
        if len(host.run_ids() - before) >= 2:
            break
        page.tab.wait_for_timeout(200)
    page.tab.wait_for_timeout(1500)
    runs = [host.wait_closed(run_id) for run_id in sorted(host.run_ids() - before)]
    tasks = {task["id"] for task in host.get("/agent-scheduler/v1/history?limit=10")["tasks"]}
    assert len(runs) == 2 and len({run["job_id"] for run in runs} & tasks) == 2
    for run in runs:
        assert (run["source"], run["status"]) == ("ui", "completed")
        assert run["images"] == {"planned": 2, "returned": 2, "saved": 2}
        assert [m["stage"] for m in host.manifests(run["run_id"])] == ["txt2img", "txt2img", "grid"]
