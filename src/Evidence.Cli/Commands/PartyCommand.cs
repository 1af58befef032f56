using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class PartyCommand
{
    private const string UsualZone = "Etc/UTC";

    private static readonly Argument<string> Id = new("ID") { Description = "What the party is called in this ledger." };

    private static readonly Option<string?> Role = new Option<string?>("--role")
    {
        Description = $"What it is: {string.Join(", ", Enum.GetValues<PartyRole>().Select(PartyRoles.ToName))}.",
        HelpName = "ROLE",
    }.AcceptOnlyFromAmong([.. Enum.GetValues<PartyRole>().Select(PartyRoles.ToName)]);

    private static readonly Option<string?> Name = new("--name") { Description = "Its full name: an office or a firm, and no person's, for nothing leaves the ledger again.", HelpName = "NAME" };

    private static readonly Option<string?> Represents = new("--represents") { Description = "The party that it speaks for.", HelpName = "ID" };

    private static readonly Option<string?> Key = new("--key") { Description = "The id of the key that it signs with, as 'evidence identity show' tells its owner. The first that the record has for it stands.", HelpName = "KEY" };

    private static readonly Option<string?> Zone = new("--zone") { Description = $"The time zone that its days are counted in, by its IANA name ({UsualZone}).", HelpName = "ZONE" };

    private static readonly Option<string?> Calendar = new("--calendar") { Description = "Which of its days are working days: a YAML file (docs/policy.md). Without it: Monday to Friday.", HelpName = "FILE" };

    internal static Command Build() => new(
        "party",
        """
        The parties: who has a say in what is to be wiped, who decides, and who keeps copies. What is said of one later adds to what was said before.

        Examples:
          evidence party add customer --role customer --name "Example Ltd" --zone Pacific/Auckland --key sha256:3f8a...
          evidence party add counsel --role counsel --name "Example Partners" --represents customer --zone America/Los_Angeles --calendar us-federal.yaml
          evidence party list
        """)
    {
        Add(),
        List(),
    };

    private static Command Add()
    {
        var command = new Command(
            "add",
            """
            Puts a party on the record, or says more of one: what is left out stays as it was.

            Example:
              evidence party add court --role court --name "District Court" --zone America/New_York
            """)
        {
            Id, Role, Name, Represents, Key, Zone, Calendar,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            string id = parsed.GetValue(Id)!;
            PartyStatement? known = writer.Docket.Parties.GetValueOrDefault(id)?.Latest;
            PartyRole role = parsed.GetValue(Role) is { } given ? PartyRoles.Parse(given) : known?.Role ?? throw Missing("--role");
            string name = parsed.GetValue(Name) ?? known?.Name ?? throw Missing("--name");
            string? calendar = parsed.GetValue(Calendar);
            if (calendar is not null)
                _ = WorkingCalendar.Load(calendar);
            var party = new PartyStatement(
                id, role, name, parsed.GetValue(Represents) ?? known?.Represents, parsed.GetValue(Key) ?? known?.Key, parsed.GetValue(Zone) ?? known?.Zone ?? UsualZone,
                DocketOptions.Keep(vault, calendar) ?? known?.Calendar, known?.Contact);
            long? entry = writer.Add(party);
            session.Answer(DocketOptions.One(entry), json => json["party"] = party.ToJson(), text =>
            {
                text.WriteLine($"  {party.Party} is {party.Name}, {party.Role.ToName()}{(party.Represents is { } represented ? $" for {represented}" : "")}; days are counted in {party.Zone}.");
                if (party.Key is null)
                    text.WriteLine("  Without a key, what it says is what others record for it, and counts only with a paper that shows it.");
            });
            return Task.FromResult(ExitCode.Done);

            EvidenceException Missing(string option) => new(ErrorCode.Usage, $"'{id}' is not on the record yet: say {option}, too.");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the parties on the record.");
        Session.Bind(command, (session, _, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            Party[] parties = [.. docket.Parties.Values.OrderBy(party => party.Id, StringComparer.Ordinal)];
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(docket.Size),
                    ["parties"] = new JsonArray([.. parties.Select(party =>
                    {
                        JsonObject json = party.Latest.ToJson();
                        json["key"] = party.Key;
                        json["entries"] = DocketOptions.Numbers(party.Statements.Select(statement => statement.Entry));
                        return json;
                    })]),
                },
                text =>
                {
                    if (parties.Length == 0)
                        text.WriteLine("No party is on the record. 'evidence party add' puts one there.");
                    else
                    {
                        TextTable.Print(text, ["PARTY", "ROLE", "FOR", "ZONE", "KEY", "NAME"], parties.Select(party => (IReadOnlyList<string>)
                        [
                            party.Id, party.Latest.Role.ToName(), party.Latest.Represents ?? "", party.Latest.Zone, party.Key is { } key ? key[..15] : "none", party.Latest.Name,
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
