using System.Globalization;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;
using static Evidence.Tests.Preservation.WipeGateTests;

namespace Evidence.Tests.Preservation;

/// <summary>What holds of the gate whatever happened: over histories that are put together by chance.</summary>
public sealed class GatePropertyTests
{
    private static readonly string[] People = ["customer", "counsel", "judge", "agent", "museum", "keeper", "stranger"];
    private static readonly string[] Parties = ["customer", "counsel", "court", "authority", "museum", "users", "nobody"];

    /// <summary>What can happen; an argument chooses who, and to what.</summary>
    private static readonly Action<Scene, int>[] Acts =
    [
        (scene, n) => scene.Notice(Parties[n % 4]),
        (scene, n) => scene.Pass(Duration.FromDays(n % 45)),
        (scene, n) => scene.Pass(Duration.FromDays(35)),
        (scene, _) => Preserve(scene),
        (scene, _) => scene.RequestAndApprove(),
        (scene, n) => scene.Respond((ResponseAct)(n % 4), Parties[n % 7], People[n / 7 % 7], paper: n % 2 == 0),
        (scene, n) => scene.Hold(Parties[n % 7], People[n / 7 % 7], (HoldForm)(n % 3), n % 5 == 0 ? scene.Now + Duration.FromDays(n % 30) : null),
        (scene, n) => scene.Release(Targets(scene, n), Parties[n % 7], People[n / 7 % 7], paper: n % 3 == 0),
        (scene, n) => scene.State((AssetState)(n % 4)),
        (scene, _) => scene.Stamp(),
    ];

    // Most begin where it is open: what shuts it is among what can happen.
    private static Arbitrary<(int Start, int[] Script)> Histories => Gen.Zip(Gen.Elements(0, 0, 0, 1, 1, 1, 2, 3), Gen.Choose(0, 9999).ArrayOf()).ToArbitrary();

    [Fact]
    public void A_hold_or_an_objection_never_opens_it()
    {
        int opened = 0;
        Prop.ForAll(Histories, Gen.Choose(0, 9999).ToArbitrary(), (history, n) =>
        {
            Scene scene = Play(history.Start, history.Script);
            GateDecision before = scene.Judge();
            opened += before.IsCleared ? 1 : 0;
            if (n % 2 == 0)
                scene.Hold(Parties[n % 7], People[n / 7 % 7], (HoldForm)(n % 3));
            else
                scene.Respond(ResponseAct.Objection, Parties[n % 7], People[n / 7 % 7]);
            GateDecision after = scene.Judge();
            Assert.True(before.IsCleared || !after.IsCleared, Text(after));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(80));
        // Where nothing is ever open, nothing is shown.
        Assert.True(opened > 3, string.Create(CultureInfo.InvariantCulture, $"{opened} were open"));
    }

    [Fact]
    public void A_cut_ledger_is_judged_by_what_it_still_has_and_says_how_far_it_knows()
    {
        Prop.ForAll(Histories, history =>
        {
            Scene scene = Play(history.Start, history.Script);
            Instant at = scene.Now;
            for (long size = scene.Size; size > scene.Size - 12; size -= 3)
            {
                GateDecision cut = scene.Judge(at: at, size: size);
                Assert.Equal(size, cut.Size);
                if (cut.IsCleared)
                {
                    Says(cut, "time", $"of {size} entries. What was sent later, or not entered, is not known here.");
                    Assert.True(at - cut.Latest!.NotBefore <= scene.Policy.Time.Fresh);
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Fact]
    public void The_same_question_has_the_same_answer_whatever_the_machine_speaks()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            Prop.ForAll(Histories, history =>
            {
                Scene scene = Play(history.Start, history.Script);
                CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
                string first = Text(scene.Judge());
                CultureInfo.CurrentCulture = Strange();
                Assert.Equal(first, Text(scene.Judge()));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(10));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>A culture that writes whatever it can otherwise than others; the machine's own are not always there.</summary>
    private static CultureInfo Strange()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = "'";
        culture.NumberFormat.NegativeSign = "~";
        culture.DateTimeFormat.DateSeparator = "|";
        culture.DateTimeFormat.TimeSeparator = "h";
        return culture;
    }

    private static Scene Play(int start, int[] script)
    {
        Scene scene = start switch { 0 => Preserved(), 1 => Silent(), 2 => Scene(notices: 0), _ => Scene(notices: 1) };
        foreach (int step in script.Take(5))
        {
            scene.Now += Duration.FromMinutes(1);
            Acts[step % Acts.Length](scene, step / Acts.Length);
        }

        return scene;
    }

    private static long Targets(Scene scene, int n)
    {
        Asset asset = scene.Docket().Assets[Preservation.Scene.Server];
        long[] entries = [.. asset.Holds.Select(hold => hold.Entry), .. asset.Responses.Select(response => response.Entry)];
        return entries[n % entries.Length];
    }
}
