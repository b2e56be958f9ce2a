-- name: recall
-- As the general text, with SQLite's function for a JSON list.
SELECT EXISTS (SELECT 1 FROM suppressions WHERE hash IN (SELECT value FROM json_each(:hashes))) AS suppressed,
       (EXISTS (SELECT 1 FROM company_domains WHERE domain = :domain)
           OR EXISTS (SELECT 1 FROM company_owners WHERE domain = :domain)
           OR EXISTS (SELECT 1 FROM answers WHERE domain = :domain AND kind = '')) AS known;
