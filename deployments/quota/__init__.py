"""Quotas and usage on a router replica: leases in bulk, reserve and settle, one report a second; no database."""

from deployments.quota.allowance import Allowances
from deployments.quota.bank import Bank, Booking, Lease, Report, Settlement, Wanted
from deployments.quota.meter import Meter, Spent
from deployments.quota.reservation import Reservation
from deployments.quota.subject import Subject
from deployments.quota.view import QuotaView
from deployments.quota.windows import Amount

__all__ = [
    "Allowances",
    "Amount",
    "Bank",
    "Booking",
    "Lease",
    "Meter",
    "QuotaView",
    "Report",
    "Reservation",
    "Settlement",
    "Spent",
    "Subject",
    "Wanted",
]
