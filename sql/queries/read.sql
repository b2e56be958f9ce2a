-- name: record
-- One lead with its current decision and its company.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at,
       COALESCE(d.body, '') AS body, COALESCE(h.body, '') AS sheet, COALESCE(c.facts, '') AS facts,
       COALESCE(o.rep, '') AS company_owner, COALESCE(c.updated_at, 0) AS company_updated_at,
       COALESCE(k.company_domain, l.domain) AS company_domain
FROM leads l
LEFT JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
LEFT JOIN sheets h ON h.hash = d.sheet
LEFT JOIN company_domains k ON k.domain = l.domain
LEFT JOIN companies c ON c.domain = COALESCE(k.company_domain, l.domain)
LEFT JOIN company_owners o ON o.domain = COALESCE(k.company_domain, l.domain)
WHERE l.id = :id;

-- name: latest-record
-- Of the leads of a company, the one that was decided last.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at,
       d.body AS body, COALESCE(c.facts, '') AS facts,
       COALESCE(o.rep, '') AS company_owner, COALESCE(c.updated_at, 0) AS company_updated_at,
       COALESCE(k.company_domain, l.domain) AS company_domain
FROM leads l
JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
LEFT JOIN company_domains k ON k.domain = l.domain
LEFT JOIN companies c ON c.domain = COALESCE(k.company_domain, l.domain)
LEFT JOIN company_owners o ON o.domain = COALESCE(k.company_domain, l.domain)
WHERE l.id = (SELECT n.id FROM leads n
    WHERE n.status = 'decided'
      AND n.domain IN (SELECT CAST(:company AS text) UNION SELECT domain FROM company_domains WHERE company_domain = :company)
    ORDER BY n.decided_at DESC, n.id DESC LIMIT 1);

-- name: records
-- A page of leads, newest first, older than the lead :before. An empty filter
-- lets everything through. Leads that are held are few among many, and found by
-- their verdict.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at,
       COALESCE(d.body, '') AS body, COALESCE(h.body, '') AS sheet, COALESCE(c.facts, '') AS facts,
       COALESCE(o.rep, '') AS company_owner, COALESCE(c.updated_at, 0) AS company_updated_at,
       COALESCE(k.company_domain, l.domain) AS company_domain
FROM leads l
LEFT JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
LEFT JOIN sheets h ON h.hash = d.sheet
LEFT JOIN company_domains k ON k.domain = l.domain
LEFT JOIN companies c ON c.domain = COALESCE(k.company_domain, l.domain)
LEFT JOIN company_owners o ON o.domain = COALESCE(k.company_domain, l.domain)
WHERE (:status = '' OR l.status = :status)
  AND (:status NOT IN ('quarantined', 'internal') OR l.verdict IN ('quarantine', 'confirm', 'internal'))
  AND (:tier = '' OR d.tier = :tier)
  AND (:owner = '' OR d.owner = :owner)
  AND (:back = '' OR EXISTS (SELECT 1 FROM assignments b WHERE b.lead_id = l.id AND b.close_reason = :closed))
  AND (:before = '' OR l.id < :before)
ORDER BY l.id DESC
LIMIT :limit;

-- name: backlog
-- How much waits. A lead in flight has a step that is not over.
SELECT (SELECT count(*) FROM outbox) AS outbox, count(*) AS undecided, COALESCE(min(l.created_at), 0) AS oldest
FROM steps s JOIN leads l ON l.id = s.id
WHERE s.kind = :kind AND s.state <> 'done' AND l.status = 'accepted';
